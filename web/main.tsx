import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import { start } from "./app/start.tsx";
import curvesStyle from "./curves/curves.css" with { type: "text" };
import { embeddedSource } from "./data/embedded_source.ts";
import { httpSource } from "./data/http_source.ts";
import rolloutsStyle from "./rollouts/rollouts.css" with { type: "text" };
import runsStyle from "./runs/runs.css" with { type: "text" };
import settingsStyle from "./settings/settings.css" with { type: "text" };
import speedStyle from "./speed/speed.css" with { type: "text" };
import baseStyle from "./style/base.css" with { type: "text" };
import partsStyle from "./style/parts.css" with { type: "text" };
import shellStyle from "./style/shell.css" with { type: "text" };
import tablesStyle from "./tables/tables.css" with { type: "text" };
import thoughtStyle from "./thought/thought.css" with { type: "text" };

/** A report holds its data; elsewhere a server is asked. */
const data = document.getElementById("data")?.textContent;
start(data ? embeddedSource(JSON.parse(data)) : httpSource(), [
  uplotStyle,
  baseStyle,
  partsStyle,
  shellStyle,
  runsStyle,
  curvesStyle,
  rolloutsStyle,
  thoughtStyle,
  tablesStyle,
  settingsStyle,
  speedStyle,
]);
