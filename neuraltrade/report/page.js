"use strict";
// Data, formats and colours. The files page.js, table.js, charts.js and sections.js are joined into one script, in this order.

const data = JSON.parse(document.getElementById("page-data").textContent);
const ARRAYS = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };

function unpack(block) {
  const bytes = Uint8Array.from(atob(block.data), (character) => character.charCodeAt(0));
  return new ARRAYS[block.type](bytes.buffer);
}

// Plotly reads a little HTML in its texts; a symbol must stay what it is.
const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

const known = (value) => value !== null && Number.isFinite(value);
const digits = (count) => new Intl.NumberFormat("en-US", { minimumFractionDigits: count, maximumFractionDigits: count });
const two = digits(2);
const whole = digits(0);
const loose = new Intl.NumberFormat("en-US", { maximumFractionDigits: 6 });
const format = {
  cash: (value) => (known(value) ? two.format(value) : "-"),
  quantity: (value) => (known(value) ? loose.format(value) : "-"),
  count: (value) => (known(value) ? whole.format(value) : "-"),
  percent: (value) => (known(value) ? `${two.format(100 * value)}%` : "-"),
  score: (value) => (known(value) ? two.format(value) : "-"),
  distance: (value) => (known(value) ? value.toFixed(4) : "-"),
  time: (ms) => {
    const text = new Date(ms).toISOString();
    return data.days ? text.slice(0, 10) : text.slice(0, 16).replace("T", " ");
  },
};
// Prices of one symbol all get the digits its highest price calls for: 2 from 20 up, 5 from 1 up (currencies), else 8.
function priceFormat(series) {
  const highest = series.high.reduce((most, value) => (value > most ? value : most), 0);
  const shape = digits(highest >= 20 ? 2 : highest >= 1 ? 5 : 8);
  return (value) => (known(value) ? shape.format(value) : "-");
}
const signClass = (value) => (known(value) && value !== 0 ? (value > 0 ? "gain" : "loss") : "");

// One element: make("td", { class: "gain", text: "+1" }, child, ...). Text goes in as text, never as HTML.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

function palette() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = ["panel", "raised", "line", "grid", "text", "muted", "accent", "second", "gain", "loss", "neutral"];
  return Object.fromEntries(names.map((name) => [name, colour(name)]));
}

// "#rrggbb" with an opacity.
const faded = (colour, alpha) => `${colour}${Math.round(alpha * 255).toString(16).padStart(2, "0")}`;

const CHART_CONFIG = {
  responsive: true, displaylogo: false, doubleClick: "reset", modeBarButtons: [["toImage", "resetScale2d"]],
};

function baseLayout(colours, extra) {
  const axis = (given) => ({
    gridcolor: colours.grid, linecolor: colours.line, zerolinecolor: colours.line, tickcolor: colours.line, automargin: true, ...given,
  });
  const layout = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif", size: 12, color: colours.muted },
    margin: { l: 56, r: 14, t: 26, b: 34 }, hovermode: "closest", dragmode: "zoom", uirevision: "keep",
    hoverlabel: { bgcolor: colours.raised, bordercolor: colours.line, font: { color: colours.text }, align: "left" },
    legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", font: { color: colours.text } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colours.second, activecolor: colours.accent },
    ...extra,
  };
  for (const name of Object.keys(layout)) {
    if (/^[xy]axis\d*$/.test(name)) layout[name] = axis(layout[name]);
  }
  return layout;
}

const HOVER_TIME = data.days ? "%d %b %Y" : "%d %b %Y %H:%M";

// Everything that must be drawn anew when the colours change.
const drawers = [];
function drawAll() {
  for (const draw of drawers) draw();
}

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("neuraltrade-theme", root.dataset.theme);
  } catch (error) {
    // storage is off (private windows, some file viewers): the choice lasts as long as the page
  }
  drawAll();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
