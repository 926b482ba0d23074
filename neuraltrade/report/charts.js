// Equity with drawdown, and price with trades.

const curves = Object.fromEntries(Object.entries(data.curves).filter(([, curve]) => curve.t)
  .map(([name, curve]) => [name, { t: unpack(curve.t), v: unpack(curve.v) }]));
let logScale = false;
let measure = "value";

// Equity as what it is worth, as a fraction earned since the start, or as the logarithm of its growth (gaps where it was not above zero).
function measured(curve) {
  if (measure === "value") return curve;
  const shape = measure === "return" ? (value) => value / data.cash - 1 : (value) => (value > 0 ? Math.log(value / data.cash) : null);
  return { t: curve.t, v: Array.from(curve.v, shape) };
}

function drawEquity() {
  const colours = palette();
  const line = (curve, name, colour, extra) => ({
    type: "scatter", mode: curve.t.length === 1 ? "markers" : "lines", x: curve.t, y: curve.v, name, line: { color: colour, width: 1.7 },
    marker: { color: colour }, hovertemplate: measure === "return" ? "%{y:+.2%}" : measure === "log" ? "%{y:+.4f}" : "%{y:,.2f}", ...extra,
  });
  const traces = [line(measured(curves.equity), "Equity", colours.accent)];
  if (curves.benchmark) {
    traces.push(line(measured(curves.benchmark), plain(data.curves.benchmark_label), colours.second, { line: { color: colours.second, width: 1.2 } }));
  }
  traces.push(line(curves.drawdown, "Drawdown", colours.loss, {
    yaxis: "y2", fill: "tozeroy", fillcolor: faded(colours.loss, 0.18), line: { color: colours.loss, width: 1 }, hovertemplate: "%{y:.2%}", showlegend: false,
  }));
  const layout = baseLayout(colours, {
    hovermode: "x unified",
    xaxis: { type: "date", anchor: "y2", hoverformat: HOVER_TIME },
    yaxis: { domain: [0.34, 1], type: logScale && measure === "value" ? "log" : "linear", tickformat: measure === "return" ? "+.1~%" : ",.6~g" },
    yaxis2: { domain: [0, 0.28], tickformat: ".1~%", nticks: 5, rangemode: "tozero" },
  });
  Plotly.react("equity-chart", traces, layout, CHART_CONFIG);
}

document.getElementById("measure").addEventListener("change", (event) => {
  measure = event.target.value;
  document.getElementById("scale").disabled = measure !== "value";
  drawEquity();
});
document.getElementById("scale").addEventListener("click", (event) => {
  logScale = !logScale;
  event.currentTarget.setAttribute("aria-pressed", String(logScale));
  drawEquity();
});
drawers.push(drawEquity);

// Pairs of curves over the moving window: [label, upper, lower], each [name in data.rolling, label, colour, how it is written].
const RATIO = "%{y:.2f}";
const ROLLING = [
  ["Sharpe and volatility", ["sharpe", "Sharpe ratio", "accent", RATIO], ["volatility", "Volatility", "neutral", "%{y:.2%}"]],
  ["Sortino and volatility", ["sortino", "Sortino ratio", "accent", RATIO], ["volatility", "Volatility", "neutral", "%{y:.2%}"]],
  ["Beta and correlation", ["beta", "Beta to the benchmark", "accent", RATIO], ["correlation", "Correlation", "neutral", RATIO]],
].filter(([, ...pair]) => data.rolling && pair.every(([name]) => data.rolling[name]));
let rollingChoice = 0;

function drawRolling() {
  const colours = palette();
  const line = ([name, label, colour, hovertemplate], extra) => ({
    type: "scatter", mode: "lines", x: unpack(data.rolling[name].t), y: unpack(data.rolling[name].v), name: label,
    line: { color: colours[colour], width: 1.4 }, hovertemplate, ...extra,
  });
  const [, upper, lower] = ROLLING[rollingChoice];
  const percent = lower[0] === "volatility" ? { tickformat: ".0%", rangemode: "tozero" } : {};
  const layout = baseLayout(colours, {
    hovermode: "x unified", xaxis: { type: "date", anchor: "y2", hoverformat: HOVER_TIME },
    yaxis: { domain: [0.54, 1], nticks: 4 }, yaxis2: { domain: [0, 0.46], nticks: 4, ...percent }, uirevision: String(rollingChoice),
  });
  Plotly.react("rolling-chart", [line(upper), line(lower, { yaxis: "y2" })], layout, CHART_CONFIG);
}

if (data.rolling) {
  const choice = document.getElementById("rolling-choice");
  choice.append(...ROLLING.map(([text], i) => make("option", { value: String(i), text })));
  choice.addEventListener("change", () => {
    rollingChoice = Number(choice.value);
    drawRolling();
  });
  drawers.push(drawRolling);
}

const trades = Object.fromEntries(Object.entries(data.trades).map(([name, block]) => [name, unpack(block)]));
const prices = data.prices.map((series) => ({
  ...series, ...Object.fromEntries(["t", "open", "high", "low", "close"].map((name) => [name, unpack(series[name])])),
}));
for (const series of prices) series.text = priceFormat(series);
// About 40 bins of a round width, with an edge at zero so that no bin holds gains and losses.
function binsOf(values) {
  const [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [0, 0]);
  const rough = (high - low) / 40 || 0.001;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const size = unit * [1, 2, 5, 10].find((step) => step * unit >= rough);
  return { start: Math.floor(low / size) * size, end: (Math.floor(high / size) + 1) * size, size };
}

function drawReturns() {
  const colours = palette();
  const values = Array.from(trades.return_).filter((value, row) => known(value) && !trades.open[row]);
  const bins = binsOf(values);
  const bars = (name, colour, test) => ({
    type: "histogram", name, x: values.filter(test), xbins: bins, marker: { color: colour, line: { width: 0 } }, hovertemplate: "%{y} trades, %{x}<extra></extra>",
  });
  const traces = [bars("Gains", colours.gain, (value) => value >= 0), bars("Losses", colours.loss, (value) => value < 0)];
  const layout = baseLayout(colours, { barmode: "stack", bargap: 0.06, xaxis: { tickformat: "+.1~%" }, yaxis: { title: { text: "trades" } } });
  Plotly.react("returns-chart", traces, layout, CHART_CONFIG);
}
if (trades.number.length) drawers.push(drawReturns);

const CANDLES_SHOWN = 260;
const MARKS_SHOWN = 1200;
const PRICE_CONFIG = { ...CHART_CONFIG, doubleClick: false, modeBarButtons: [["toImage"]] };
const view = { symbol: 0, range: null, picked: -1 };
const priceChart = document.getElementById("price-chart");
let tradesChanged = null; // what to tell when other trades are in view

// First position whose time is >= ms.
function position(times, ms) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

const barMs = (times) => (times.length > 1 ? (times[times.length - 1] - times[0]) / (times.length - 1) : 86_400_000);

function fullRange(series) {
  const pad = Math.max(2 * barMs(series.t), (series.t[series.t.length - 1] - series.t[0]) * 0.01);
  return [series.t[0] - pad, series.t[series.t.length - 1] + pad];
}

// Closes as a line, or, where many bars share a pixel, the low and high of each pixel in the order they came.
function linePoints(series, first, last, pixels) {
  const size = Math.ceil((last - first) / pixels);
  if (size <= 2) return { x: series.t.subarray(first, last), y: series.close.subarray(first, last) };
  const joined = series.bars_per_candle > 1;
  const [lows, highs] = joined ? [series.low, series.high] : [series.close, series.close];
  const [x, y] = [[], []];
  for (let start = first; start < last; start += size) {
    let [low, high] = [start, start];
    for (let i = start + 1; i < Math.min(start + size, last); i += 1) {
      if (lows[i] < lows[low]) low = i;
      if (highs[i] > highs[high]) high = i;
    }
    const pair = low <= high ? [[low, lows], [high, highs]] : [[high, highs], [low, lows]];
    for (const [i, values] of pair) {
      x.push(series.t[i]);
      y.push(values[i]);
    }
  }
  return { x, y };
}

function priceTrace(series, first, last, colours) {
  if (last - first <= CANDLES_SHOWN) {
    const part = (values) => values.subarray(first, last);
    const side = (colour) => ({ line: { color: colour, width: 1 }, fillcolor: faded(colour, 0.45) });
    return {
      type: "candlestick", name: "Price", x: part(series.t), open: part(series.open), high: part(series.high), low: part(series.low),
      close: part(series.close), increasing: side(colours.gain), decreasing: side(colours.loss), showlegend: false, opacity: 0.75,
      xhoverformat: HOVER_TIME,
    };
  }
  const { x, y } = linePoints(series, first, last, Math.max(400, priceChart.clientWidth));
  return { type: "scatter", mode: "lines", name: "Price", x, y, line: { color: colours.second, width: 1.2 }, showlegend: false, hovertemplate: `%{x|${HOVER_TIME}}<br>%{y:,.6~g}<extra></extra>` };
}

// Trades of the symbol in view, the larger ones first where there are too many to draw.
function tradesInView() {
  const [from, to] = view.range;
  const rows = [];
  for (let row = 0; row < trades.number.length; row += 1) {
    if (trades.symbol[row] === view.symbol && trades.exit_t[row] >= from && trades.entry_t[row] <= to) rows.push(row);
  }
  if (rows.length <= MARKS_SHOWN) return { rows, hidden: 0 };
  const largest = rows.sort((a, b) => Math.abs(trades.pnl[b]) - Math.abs(trades.pnl[a])).slice(0, MARKS_SHOWN);
  if (view.picked >= 0 && !largest.includes(view.picked)) largest.push(view.picked);
  return { rows: largest, hidden: rows.length - largest.length };
}

function tradeText(row) {
  const side = trades.direction[row] > 0 ? "long" : "short";
  const head = `Trade ${trades.number[row]}: ${side} ${format.quantity(trades.quantity[row])}`;
  const { text } = prices[trades.symbol[row]];
  const way = `${text(trades.entry_price[row])} to ${text(trades.exit_price[row])}${trades.open[row] ? " (open)" : ""}`;
  return `${head}<br>${way}<br>${format.cash(trades.pnl[row])} (${format.percent(trades.return_[row])})`;
}

function tradeTraces(rows, colours) {
  const outcome = (row) => (trades.open[row] ? colours.neutral : trades.pnl[row] > 0 ? colours.gain : colours.loss);
  const marks = (chosen, end, name, symbol) => ({
    type: "scatter", mode: "markers", name, x: chosen.map((row) => trades[`${end}_t`][row]), y: chosen.map((row) => trades[`${end}_price`][row]),
    text: chosen.map(tradeText), customdata: chosen, hovertemplate: `${name}, %{x|${HOVER_TIME}}<br>%{text}<extra></extra>`,
    marker: {
      symbol, color: chosen.map(outcome), size: chosen.map((row) => (row === view.picked ? 15 : 9)),
      line: { width: chosen.map((row) => (row === view.picked ? 2 : 1)), color: chosen.map((row) => (row === view.picked ? colours.text : colours.panel)) },
    },
    showlegend: false,
  });
  const ways = (chosen, colour) => ({
    type: "scatter", mode: "lines", hoverinfo: "skip", showlegend: false, line: { color: colour, width: 1.2, dash: "dot" },
    x: chosen.flatMap((row) => [trades.entry_t[row], trades.exit_t[row], null]),
    y: chosen.flatMap((row) => [trades.entry_price[row], trades.exit_price[row], null]),
  });
  const by = (test) => rows.filter(test);
  const key = [["Gain", "circle", colours.gain], ["Loss", "circle", colours.loss], ["Long entry", "triangle-up", colours.second],
    ["Short entry", "triangle-down", colours.second], ["Exit", "x", colours.second]];
  if (rows.some((row) => trades.open[row])) key.splice(2, 0, ["Still open", "circle", colours.neutral]);
  return [
    ways(by((row) => trades.pnl[row] > 0), colours.gain), ways(by((row) => !(trades.pnl[row] > 0)), colours.loss),
    marks(by((row) => trades.direction[row] > 0), "entry", "Long entry", "triangle-up"),
    marks(by((row) => trades.direction[row] < 0), "entry", "Short entry", "triangle-down"),
    marks(by((row) => !trades.open[row]), "exit", "Exit", "x"),
    ...key.map(([name, symbol, color]) => ({
      type: "scatter", mode: "markers", x: [null], y: [null], name, marker: { symbol, color, size: 8 }, hoverinfo: "skip",
    })),
  ];
}

function visibleExtent(series, first, last, rows) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = first; i < last; i += 1) {
    if (series.low[i] < low) low = series.low[i];
    if (series.high[i] > high) high = series.high[i];
  }
  for (const row of rows) {
    for (const end of ["entry", "exit"]) {
      if (trades[`${end}_t`][row] < view.range[0] || trades[`${end}_t`][row] > view.range[1]) continue;
      low = Math.min(low, trades[`${end}_price`][row]);
      high = Math.max(high, trades[`${end}_price`][row]);
    }
  }
  const pad = (high - low) * 0.06 || Math.abs(high) * 0.02 || 1;
  return Number.isFinite(low) ? [low - pad, high + pad] : null;
}

function pickedShape(colours) {
  const row = view.picked;
  if (row < 0 || trades.symbol[row] !== view.symbol) return [];
  return [{
    type: "rect", xref: "x", yref: "paper", x0: trades.entry_t[row], x1: trades.exit_t[row], y0: 0, y1: 1, layer: "below",
    fillcolor: faded(colours.accent, 0.14), line: { width: 0 },
  }];
}

function drawPrice() {
  const colours = palette();
  const series = prices[view.symbol];
  if (!view.range) view.range = fullRange(series);
  const first = Math.max(0, position(series.t, view.range[0]) - 1);
  const last = Math.min(series.t.length, position(series.t, view.range[1]) + 1);
  const { rows, hidden } = tradesInView();
  const layout = baseLayout(colours, {
    xaxis: { type: "date", range: [...view.range], rangeslider: { visible: false }, hoverformat: HOVER_TIME },
    yaxis: { range: visibleExtent(series, first, last, rows), fixedrange: true, tickformat: ",.6~g" },
    shapes: pickedShape(colours), uirevision: `${view.symbol}:${view.range}`,
  });
  Plotly.react(priceChart, [priceTrace(series, first, last, colours), ...tradeTraces(rows, colours)], layout, PRICE_CONFIG);
  const parts = [];
  if (series.bars_per_candle > 1) parts.push(`${whole.format(series.bars)} bars drawn as candles of ${series.bars_per_candle}.`);
  if (hidden > 0) parts.push(`${whole.format(hidden)} smaller trades are hidden at this zoom.`);
  document.getElementById("price-note").textContent = parts.join(" ");
  document.getElementById("symbol").value = String(view.symbol);
  if (tradesChanged) tradesChanged();
}
drawers.push(drawPrice);

function show(symbol, range, picked) {
  Object.assign(view, { symbol, range, picked });
  drawPrice();
}

// Move the chart to a trade: its symbol, and its time with as much before and after.
function showTrade(row) {
  const step = barMs(prices[trades.symbol[row]].t);
  const pad = Math.max(25 * step, (trades.exit_t[row] - trades.entry_t[row]) * 0.6);
  show(trades.symbol[row], [trades.entry_t[row] - pad, trades.exit_t[row] + pad], row);
  const box = priceChart.getBoundingClientRect();
  const seen = Math.min(box.bottom, innerHeight) - Math.max(box.top, 48); // 48: the bar at the top
  if (seen < box.height / 2) priceChart.scrollIntoView({ block: "nearest" });
}

const asMs = (value) => (typeof value === "number" ? value : Date.parse(value.length > 10 ? `${value.replace(" ", "T")}Z` : value));

function watchPrice() {
  priceChart.on("plotly_relayout", (change) => {
    if (change["xaxis.range[0]"] !== undefined) view.range = [asMs(change["xaxis.range[0]"]), asMs(change["xaxis.range[1]"])];
    else if (change["xaxis.autorange"]) view.range = null;
    else return;
    drawPrice();
  });
  priceChart.on("plotly_doubleclick", () => show(view.symbol, null, view.picked));
  priceChart.on("plotly_click", (event) => {
    const point = event.points.find((candidate) => candidate.customdata !== undefined);
    if (point) tradeGrid.pick(point.customdata);
  });
}

document.getElementById("symbol").addEventListener("change", (event) => show(Number(event.target.value), null, -1));
document.getElementById("whole").addEventListener("click", () => show(view.symbol, null, -1));
