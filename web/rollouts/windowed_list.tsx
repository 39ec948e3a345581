import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Pixels that browsers can lay out in one box: beyond, places in the list are spread over fewer. */
const MOST_PIXELS = 8_000_000;
/** Rows drawn above and below those that are seen. */
const BEYOND = 10;

/** A list of which only the rows that are seen are drawn. */
interface WindowedListProps {
  total: number;
  /** Of every row, in pixels. */
  rowHeight: number;
  /** Draws a row's cells, and says the row's class. */
  row: (index: number) => { cells: ComponentChildren; look?: string };
  /** Told which rows are seen, whenever that changes. */
  seen: (from: number, to: number) => void;
  /** Opened by Enter. */
  open: (index: number) => void;
  label: string;
  /** Prefix of the rows' ids. */
  id: string;
  /** What the first drawn row is to be when the list appears or this changes. */
  start?: number;
}

/** A grid of any number of rows, of which those that are seen are drawn. Arrow keys choose one, Enter opens it. */
export function WindowedList({ total, rowHeight, row, seen, open, label, id, start = 0 }: WindowedListProps) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [chosen, setChosen] = useState(-1);
  const full = total * rowHeight;
  const drawn = Math.min(full, MOST_PIXELS);
  // Of a list too tall, the scroll bar goes over all rows in larger steps.
  const scale = drawn > height && full > drawn ? (full - height) / (drawn - height) : 1;
  const first = Math.max(0, Math.floor(top * scale / rowHeight) - BEYOND);
  const last = Math.min(total, Math.ceil((top * scale + height) / rowHeight) + BEYOND);
  useEffect(() => seen(first, last), [first, last, total, seen]);
  useLayoutEffect(() => {
    const element = box.current!;
    const measure = () => setHeight(element.clientHeight);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    box.current!.scrollTop = start * rowHeight / scale;
  }, [start]);
  const show = (index: number) => {
    setChosen(index);
    const at = index * rowHeight / scale;
    const element = box.current!;
    const roomy = (height - rowHeight) / scale;
    if (at < element.scrollTop) element.scrollTop = at;
    else if (at > element.scrollTop + roomy) element.scrollTop = at - roomy;
  };
  const press = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    const target = ({
      ArrowDown: chosen + 1,
      ArrowUp: chosen - 1,
      PageDown: chosen + page,
      PageUp: chosen - page,
      Home: 0,
      End: total - 1,
    } as Record<string, number>)[event.key];
    if (event.key === "Enter" && chosen >= 0) open(chosen);
    else if (target !== undefined) show(Math.max(0, Math.min(total - 1, target)));
    else return;
    event.preventDefault();
  };
  return (
    <div
      class="windowed"
      ref={box}
      role="grid"
      aria-label={label}
      aria-rowcount={total}
      aria-activedescendant={chosen >= first && chosen < last ? `${id}-${chosen}` : undefined}
      tabIndex={0}
      onScroll={() => setTop(box.current!.scrollTop)}
      onKeyDown={press}
    >
      <div role="presentation" class="windowed-all" style={{ height: `${drawn}px` }}>
        <div
          role="rowgroup"
          class="windowed-rows"
          style={{ transform: `translateY(${top + first * rowHeight - top * scale}px)` }}
        >
          {Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i).map((index) => {
            const { cells, look = "" } = row(index);
            return (
              <div
                key={index}
                id={`${id}-${index}`}
                role="row"
                class={`windowed-row ${look}`}
                aria-rowindex={index + 1}
                aria-selected={chosen === index}
                style={{ height: `${rowHeight}px` }}
              >
                {cells}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
