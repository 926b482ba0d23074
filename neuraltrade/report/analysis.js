// Exposure, attribution, comparison of runs, and what the parameters do.

const LINES = ["accent", "loss", "gain", "neutral", "second"];
const EXTRA = { light: ["#7a3fb0", "#0f7f93", "#b0386f", "#5b7f1f", "#a8541a", "#3d4fd1"], dark: ["#b98cf0", "#4fc3d6", "#ef86b4", "#a9cc62", "#f0a566", "#97a4ff"] };

// A colour for each of many lines: the page's own first, then others that are told apart on this ground.
function lineColours(count) {
  const colours = palette();
  const dark = parseInt(colours.panel.slice(1, 3), 16) < 128;
  const all = [...LINES.map((name) => colours[name]), ...EXTRA[dark ? "dark" : "light"]];
  return Array.from({ length: count }, (_, i) => all[i % all.length]);
}

function drawExposure() {
  const colours = palette();
  const area = (name, label, colour) => ({
    type: "scatter", mode: "lines", x: unpack(data.exposure[name].t), y: unpack(data.exposure[name].v), name: label, fill: "tozeroy",
    fillcolor: faded(colour, 0.16), line: { color: colour, width: 1, shape: "hv" }, hovertemplate: "%{y:.1%}",
  });
  const net = { ...area("net", "Net", colours.accent), fill: "none", line: { color: colours.accent, width: 1.4, shape: "hv" } };
  const layout = baseLayout(colours, { hovermode: "x unified", xaxis: { type: "date", hoverformat: HOVER_TIME }, yaxis: { tickformat: ".0%", nticks: 6 } });
  Plotly.react("exposure-chart", [area("long", "Long", colours.gain), area("short", "Short", colours.loss), net], layout, CHART_CONFIG);
}

function buildAttribution(table, i) {
  const host = document.getElementById(`attribution-table-${i}`);
  const rows = table.rows;
  const at = (k, label, text, extra = {}) => ({ label, value: (row) => rows[row][k], text: (row) => text(rows[row][k]), ...extra });
  const sum = rows.reduce((total, row) => total + Math.abs(known(row[7]) ? row[7] : 0), 0);
  const columns = [
    at(0, table.what, (name) => String(name), { words: true }), at(7, "Profit", format.cash, { sign: true }),
    { label: "Share", value: (row) => (sum ? rows[row][7] / sum : null), text: (row) => format.percent(sum ? rows[row][7] / sum : null), sign: true },
    at(4, "Closed trades", format.cash, { sign: true }), at(5, "Still open", format.cash, { sign: true }), at(6, "Flows", format.cash, { sign: true }),
    at(3, "Fees", format.cash), at(1, "Trades", format.count), at(2, "Exposure", format.percent),
  ];
  const grid = new Grid(host, rows.length, columns, { label: `Attribution: ${table.what}`, size: 50 });
  grid.sortBy(1);
  if (!table.curves.length) return;
  const curves = table.curves.map((one) => ({ name: one.name, t: unpack(one.t), v: unpack(one.v) }));
  drawers.push(() => {
    const colours = palette();
    const shades = lineColours(curves.length);
    const traces = curves.map((one, k) => ({
      type: "scatter", mode: "lines", x: one.t, y: one.v, name: plain(one.name), line: { color: shades[k], width: 1.4 }, hovertemplate: "%{y:+,.2f}",
    }));
    const layout = baseLayout(colours, { hovermode: "x unified", showlegend: true, xaxis: { type: "date", hoverformat: HOVER_TIME }, yaxis: { tickformat: "+,.6~g", zeroline: true } });
    Plotly.react(`attribution-chart-${i}`, traces, layout, CHART_CONFIG);
  });
}

function drawComparison() {
  const colours = palette();
  const { names, curves } = data.comparison;
  const shades = lineColours(names.length);
  const traces = curves.map((one, k) => ({
    type: "scatter", mode: "lines", x: unpack(one.t), y: unpack(one.v), name: plain(names[k]), line: { color: shades[k], width: 1.6 }, hovertemplate: "%{y:.3f}",
  }));
  const layout = baseLayout(colours, {
    hovermode: "x unified", xaxis: { type: "date", hoverformat: HOVER_TIME },
    yaxis: { title: { text: "growth of 1" }, type: comparisonLog ? "log" : "linear", tickformat: ",.4~g" },
  });
  Plotly.react("comparison-chart", traces, layout, CHART_CONFIG);
}

let comparisonLog = false;

function buildComparison() {
  document.getElementById("comparison-scale").addEventListener("click", (event) => {
    comparisonLog = !comparisonLog;
    event.currentTarget.setAttribute("aria-pressed", String(comparisonLog));
    drawComparison();
  });
  drawers.push(drawComparison);
}

function drawParameters() {
  const colours = palette();
  const { x, y, metric, marked, values } = data.parameters;
  const [columns, rows] = [data.parameters.x_values, data.parameters.y_values];
  const most = Math.max(0, ...values.flat().filter(known).map(Math.abs));
  const few = columns.length <= 16 && rows.length <= 16;
  const heat = {
    type: "heatmap", x: columns.map((_, i) => i), y: rows.map((_, i) => i), z: values, zmin: -most, zmax: most, zmid: 0, xgap: 1, ygap: 1,
    colorscale: [[0, colours.loss], [0.5, colours.panel], [1, colours.gain]], hoverongaps: false,
    customdata: rows.map((row) => columns.map((column) => [plain(column), plain(row)])),
    hovertemplate: `${plain(x)} %{customdata[0]}, ${plain(y)} %{customdata[1]}<br>${plain(metric)} %{z:.4g}<extra></extra>`,
    text: values.map((row) => row.map((value) => (known(value) ? two.format(value) : ""))), texttemplate: few ? "%{text}" : "",
    colorbar: { thickness: 10, outlinewidth: 0, tickfont: { color: colours.muted } },
  };
  const every = (labels) => {
    const step = Math.ceil(labels.length / 14);
    const kept = labels.map((_, i) => i).filter((i) => i % step === 0);
    return { tickmode: "array", tickvals: kept, ticktext: kept.map((i) => plain(labels[i])) };
  };
  const shapes = marked === null ? [] : [{
    type: "rect", x0: marked[1] - 0.5, x1: marked[1] + 0.5, y0: marked[0] - 0.5, y1: marked[0] + 0.5, line: { color: colours.text, width: 2 },
  }];
  const layout = baseLayout(colours, {
    xaxis: { title: { text: plain(x) }, showgrid: false, zeroline: false, ...every(columns) },
    yaxis: { title: { text: plain(y) }, showgrid: false, zeroline: false, ...every(rows) }, shapes,
  });
  Plotly.react("parameters-chart", [heat], layout, CHART_CONFIG);
}

if (data.exposure) drawers.push(drawExposure);
data.attribution.forEach(buildAttribution);
if (data.comparison) buildComparison();
if (data.parameters) drawers.push(drawParameters);
