// The tables, the optional sections, and the first drawing.

let tradeGrid = null;

function buildTrades() {
  const host = document.getElementById("trade-table");
  if (!host) return;
  const cell = (name, label, text, extra = {}) => ({ label, value: (row) => trades[name][row], text: (row) => text(trades[name][row]), ...extra });
  const price = (name, label) => ({ label, value: (row) => trades[name][row], text: (row) => prices[trades.symbol[row]].text(trades[name][row]) });
  const symbol = (row) => prices[trades.symbol[row]].symbol;
  const side = (row) => (trades.direction[row] > 0 ? "long" : "short");
  const strategy = (row) => data.strategies[trades.strategy[row]];
  const columns = [
    cell("number", "#", (value) => String(value), { words: true }),
    ...(trades.strategy ? [{ label: "Strategy", value: strategy, text: strategy, words: true }] : []),
    { label: "Symbol", value: symbol, text: symbol, words: true },
    { label: "Side", value: side, text: side, words: true },
    cell("quantity", "Quantity", format.quantity),
    cell("entry_t", "Entry", format.time), price("entry_price", "Entry price"),
    { ...cell("exit_t", "Exit", format.time), text: (row) => (trades.open[row] ? "open" : format.time(trades.exit_t[row])) },
    price("exit_price", "Exit price"), cell("bars", "Bars", format.count),
    cell("return_", "Return", format.percent, { sign: true }), cell("pnl", "P&L", format.cash, { sign: true }), cell("fees", "Fees", format.cash),
  ];
  tradeGrid = new Grid(host, trades.number.length, columns, { label: "Trades", onPick: showTrade });
  const filters = document.getElementById("trade-filters");
  let onlyInView = false;
  const inView = (row) => trades.symbol[row] === view.symbol && trades.exit_t[row] >= view.range[0] && trades.entry_t[row] <= view.range[1];
  const chosen = (label) => filters.querySelector(`select[aria-label="Filter by ${label}"]`)?.value || "";
  const apply = () => {
    const [bySymbol, bySide, byOutcome, byStrategy] = ["symbol", "side", "outcome", "strategy"].map(chosen);
    const outcome = (row) => (trades.open[row] ? "open" : trades.pnl[row] > 0 ? "gain" : "loss");
    tradeGrid.setFilter((row) => (!bySymbol || trades.symbol[row] === Number(bySymbol)) && (!bySide || side(row) === bySide)
      && (!byOutcome || outcome(row) === byOutcome) && (!byStrategy || trades.strategy[row] === Number(byStrategy)) && (!onlyInView || inView(row)));
  };
  const numbered = (all, names) => [["", all], ...names.map((name, i) => [String(i), name])];
  filters.append(
    chooser("Filter by symbol", numbered("All symbols", prices.map((series) => series.symbol)), apply),
    chooser("Filter by side", [["", "Long and short"], ["long", "Long"], ["short", "Short"]], apply),
    chooser("Filter by outcome", [["", "All outcomes"], ["gain", "Gains"], ["loss", "Losses"], ["open", "Still open"]], apply),
  );
  if (trades.strategy) filters.append(chooser("Filter by strategy", numbered("All strategies", data.strategies), apply));
  filters.append(make("button", {
    type: "button", id: "in-view", "aria-pressed": "false", text: "Only those in the chart",
    onclick: (event) => {
      onlyInView = !onlyInView;
      event.currentTarget.setAttribute("aria-pressed", String(onlyInView));
      apply();
    },
  }));
  tradesChanged = () => { if (onlyInView) apply(); };
}

const similarView = { picked: -1 };

function drawSimilar() {
  const colours = palette();
  const { query, neighbours } = data.similar;
  const steps = (situation) => [...situation.before.keys()].map((i) => i - situation.before.length + 1).concat([...situation.after.keys()].map((i) => i + 1));
  const path = (situation, name, style) => ({
    type: "scatter", mode: "lines", x: steps(situation), y: [...situation.before, ...situation.after], name: plain(name),
    hovertemplate: `${plain(name)}<br>%{x:+d} bars: %{y:+.2%}<extra></extra>`, showlegend: false, ...style,
  });
  const order = [...neighbours.keys()].sort((a, b) => (a === similarView.picked) - (b === similarView.picked));
  const traces = order.map((i) => {
    const item = neighbours[i];
    const colour = !known(item.outcome) ? colours.second : item.outcome > 0 ? colours.gain : colours.loss;
    const picked = i === similarView.picked;
    const width = picked ? 3 : 1.1;
    return path(item, `${item.symbol} ${format.time(item.t)}`, { line: { color: picked || similarView.picked < 0 ? colour : faded(colour, 0.4), width } });
  });
  const reach = Math.max(0, ...neighbours.map((item) => item.after.length));
  const median = Array.from({ length: reach }, (_, i) => {
    const values = neighbours.filter((item) => item.after.length > i).map((item) => item.after[i]).sort((a, b) => a - b);
    return (values[(values.length - 1) >> 1] + values[values.length >> 1]) / 2;
  });
  if (reach) {
    traces.push({ type: "scatter", mode: "lines", x: [0, ...median.map((_, i) => i + 1)], y: [0, ...median], name: "Median of what followed",
      line: { color: colours.text, width: 2.2, dash: "dash" }, hovertemplate: "median, %{x:+d} bars: %{y:+.2%}<extra></extra>" });
  }
  traces.push(path(query, `${query.symbol} ${format.time(query.t)}`, { line: { color: colours.accent, width: 2.8 }, showlegend: true }));
  const layout = baseLayout(colours, {
    xaxis: { title: { text: "bars from the situation" }, zeroline: false }, yaxis: { tickformat: "+.1~%" },
    shapes: [{ type: "line", xref: "x", yref: "paper", x0: 0, x1: 0, y0: 0, y1: 1, line: { color: colours.muted, width: 1, dash: "dot" } }],
  });
  Plotly.react("similar-chart", traces, layout, CHART_CONFIG);
}

function buildSimilar() {
  const rows = data.similar.neighbours;
  const columns = [
    { label: "Rank", value: (row) => row, text: (row) => String(row + 1), words: true },
    { label: "Symbol", value: (row) => rows[row].symbol, text: (row) => rows[row].symbol, words: true },
    { label: "When", value: (row) => rows[row].t, text: (row) => format.time(rows[row].t) },
    { label: "Distance", value: (row) => rows[row].distance, text: (row) => format.distance(rows[row].distance) },
    { label: "What followed", value: (row) => rows[row].outcome, text: (row) => (known(rows[row].outcome) ? format.percent(rows[row].outcome) : "not known yet"), sign: true },
  ];
  new Grid(document.getElementById("similar-table"), rows.length, columns, {
    label: "Similar situations",
    onPick: (row) => {
      similarView.picked = similarView.picked === row ? -1 : row;
      drawSimilar();
    },
  });
  drawers.push(drawSimilar);
}

function drawRegret() {
  const colours = palette();
  const colour = { good: colours.gain, bad: colours.loss, inconclusive: colours.second };
  const values = data.verdicts.map((row) => row.regret).filter(known);
  const [low, high] = [Math.min(...values, 0), Math.max(...values, 0.001)];
  const traces = Object.keys(colour).map((label) => ({
    type: "histogram", name: label, x: data.verdicts.filter((row) => row.label === label && known(row.regret)).map((row) => row.regret),
    xbins: { start: low, end: high * 1.0001, size: (high - low) / 30 }, marker: { color: colour[label], line: { width: 0 } }, hovertemplate: `${label}: %{y} at %{x}<extra></extra>`,
  }));
  const layout = baseLayout(colours, {
    barmode: "stack", bargap: 0.04, xaxis: { title: { text: "regret: what the best alternative would have earned more" }, tickformat: ".2~%" }, yaxis: { title: { text: "decisions" } },
  });
  Plotly.react("regret-chart", traces, layout, CHART_CONFIG);
}

function counterfactuals(row) {
  if (!row.counterfactuals.length) return make("span", { class: "muted", text: "No alternative was replayed." });
  const lines = row.counterfactuals.map(([name, outcome, difference]) => make("tr", {}, make("td", { class: "words", text: name }),
    make("td", { class: signClass(outcome), text: format.percent(outcome) }), make("td", { class: signClass(difference), text: format.percent(difference) })));
  const heads = ["Alternative", "Outcome", "Difference"].map((text, i) => make("td", { class: i ? "muted" : "muted words", text }));
  return make("table", {}, make("tbody", {}, make("tr", {}, ...heads), ...lines));
}

function buildVerdicts() {
  const rows = data.verdicts;
  const span = (row) => (known(row.regret_low) && known(row.regret_high) ? ` [${format.percent(row.regret_low)}, ${format.percent(row.regret_high)}]` : "");
  const words = (name, label) => ({ label, value: (i) => rows[i][name], text: (i) => rows[i][name], words: true });
  const columns = [
    { label: "When", value: (i) => rows[i].t, text: (i) => format.time(rows[i].t), words: true },
    words("symbol", "Symbol"), words("decision", "Decision"), words("label", "Verdict"),
    { label: "Score", value: (i) => rows[i].score, text: (i) => format.score(rows[i].score) },
    { label: "Outcome", value: (i) => rows[i].outcome, text: (i) => format.percent(rows[i].outcome), sign: true },
    { label: "Regret", value: (i) => rows[i].regret, text: (i) => format.percent(rows[i].regret) + span(rows[i]) },
    { ...words("explanation", "Why"), long: true },
  ];
  const grid = new Grid(document.getElementById("verdict-table"), rows.length, columns, { label: "Verdicts", detail: (i) => counterfactuals(rows[i]) });
  const labels = [["", "All verdicts"], ["good", "Good"], ["bad", "Bad"], ["inconclusive", "Inconclusive"]];
  const choose = (event) => grid.setFilter(event.target.value ? (i) => rows[i].label === event.target.value : null);
  document.getElementById("verdict-filters").append(chooser("Filter by verdict", labels, choose));
  drawers.push(drawRegret);
}

buildTrades();
if (data.similar) buildSimilar();
if (data.verdicts) buildVerdicts();
drawAll();
watchPrice();
document.body.dataset.ready = "true";
