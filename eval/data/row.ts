/** A value in a row: what JSON can hold. */
export type RowValue = string | number | boolean | null | RowValue[] | { [name: string]: RowValue };

/** One record of a data file: its fields by name. */
export type Row = { [field: string]: RowValue };
