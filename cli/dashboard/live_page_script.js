/** Runs in the browser: draws what `/events` tells. Texts of the run are only ever set as text. */
/* global uPlot, EventSource, document, window, getComputedStyle, matchMedia, ResizeObserver */
(() => {
  const byId = (id) => document.getElementById(id);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /** Figures: title, whether decades are equally long, and series of (label, key of a row, colour). */
  const figures = [
    [
      "Loss, nats per token",
      false,
      [
        ["training", "loss", "--f"],
        ["validation", "val_loss", "--a"],
      ],
    ],
    ["Learning rate", false, [["rate", "learning_rate", "--a"]]],
    ["Gradient norm", true, [["norm", "grad_norm", "--a"]]],
    ["Zeros among the codes", false, [["share", "zero_fraction", "--a"]]],
    ["Codes that an update flips", true, [["share", "flip_rate", "--a"]]],
    ["Speed, tokens/s", false, [["speed", "tokens_per_second", "--a"]]],
  ];
  let state = null;
  const plots = [];

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const duration = (seconds) => {
    const whole = Math.max(0, Math.round(seconds));
    const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
    const two = (value) => String(value).padStart(2, "0");
    return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };
  const has = (key) => state.rows.some((row) => typeof row[key] === "number");

  function dataOf([, isLog, series]) {
    const value = (row, key) => (typeof row[key] === "number" && !(isLog && row[key] <= 0) ? row[key] : null);
    return [state.rows.map(({ step }) => step), ...series.map(([, key]) => state.rows.map((row) => value(row, key)))];
  }

  function makePlot(figure) {
    const [title, isLog, series] = figure;
    const box = element("div", undefined, "plot");
    box.append(element("h3", title));
    byId("plots").append(box);
    const axis = {
      stroke: () => colour("--faint"),
      grid: { stroke: () => colour("--line"), width: 1 },
      ticks: { show: false },
    };
    const digits = (value) => (value === null || value === undefined ? "" : String(Number(value.toPrecision(4))));
    const plot = new uPlot(
      {
        width: Math.max(240, box.clientWidth),
        height: 220,
        scales: { x: { time: false }, y: isLog ? { distr: 3 } : {} },
        axes: [
          { ...axis, size: 30 },
          { ...axis, size: 62, values: (_, ticks) => ticks.map(digits) },
        ],
        series: [
          { label: "step" },
          ...series.map(([label, , name]) => ({
            label,
            stroke: () => colour(name),
            width: 2,
            spanGaps: true,
            points: { show: state.rows.length < 30, fill: () => colour("--ground") },
            value: (_, value) => digits(value),
          })),
        ],
      },
      dataOf(figure),
      box,
    );
    new ResizeObserver(() => plot.setSize({ width: Math.max(240, box.clientWidth), height: 220 })).observe(box);
    return { figure, plot };
  }

  function drawPlots() {
    for (const figure of figures) {
      const shown = plots.find((one) => one.figure === figure);
      if (shown) shown.plot.setData(dataOf(figure));
      else if (figure[2].some(([, key]) => has(key))) plots.push(makePlot(figure));
    }
  }

  function drawTiles() {
    const last = state.rows[state.rows.length - 1] ?? {};
    const validated = state.rows.filter((row) => typeof row.val_loss === "number").pop() ?? {};
    const fixed = (value, digits) => (typeof value === "number" ? value.toFixed(digits) : undefined);
    const percent = (value, digits) => (typeof value === "number" ? `${(100 * value).toFixed(digits)}%` : undefined);
    const tiles = [
      ["step", `${state.step.toLocaleString("en-US")} of ${state.maxSteps.toLocaleString("en-US")}`],
      ["loss", fixed(state.loss ?? last.loss, 4)],
      ["validation", fixed(validated.val_loss, 4)],
      ["bits/byte", fixed(validated.bits_per_byte, 4)],
      ["learning rate", last.learning_rate?.toExponential(2)],
      ["gradient norm", fixed(last.grad_norm, 3)],
      ["zeros", percent(last.zero_fraction, 1)],
      ["flips", percent(last.flip_rate, 3)],
      ["tokens/s", last.tokens_per_second?.toLocaleString("en-US")],
      ["tokens", last.tokens?.toLocaleString("en-US")],
    ];
    const shown = tiles.filter(([, value]) => value !== undefined);
    byId("tiles").replaceChildren(
      ...shown.map(([name, value]) => {
        const tile = element("div");
        tile.append(element("span", name), element("b", value));
        return tile;
      }),
    );
    byId("progress").value = state.maxSteps > 0 ? state.step / state.maxSteps : 1;
    byId("left").textContent =
      state.end === null && state.secondsLeft !== null ? `ETA ${duration(state.secondsLeft)}` : "";
  }

  function drawTexts() {
    byId("notes").replaceChildren(...state.notes.map((text) => element("p", `note: ${text}`, "line")));
    const samples = [...state.samples]
      .reverse()
      .flatMap(({ step, text }) => [element("div", `step ${step}`, "faint"), element("pre", text)]);
    if (samples.length > 0) byId("samples").replaceChildren(...samples);
    byId("facts").replaceChildren(
      ...state.facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]),
    );
  }

  function say(text, className) {
    byId("state").textContent = text;
    byId("state").className = `state ${className}`;
    document.title = `${text}: ${state?.name ?? "training"}`;
  }

  function drawAll() {
    drawPlots();
    drawTiles();
    drawTexts();
    if (state.end === null) say("running", "running");
    else say(state.end, "ended");
  }

  const events = new EventSource("/events");
  const on = (event, change) =>
    events.addEventListener(event, ({ data }) => {
      change(JSON.parse(data));
      drawAll();
    });
  on("state", (all) => {
    state = all;
    if (state.end !== null) events.close();
  });
  on("row", ({ row }) => state.rows.push(row));
  on("sample", (sample) => state.samples.push(sample));
  on("note", ({ text }) => state.notes.push(text));
  on("end", ({ text }) => {
    state.end = text;
    events.close();
  });
  events.addEventListener("step", ({ data }) => {
    Object.assign(state, JSON.parse(data));
    drawTiles();
  });
  events.addEventListener("error", () => say("no answer: the run ended or was killed", "lost"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const { plot } of plots) plot.redraw();
  });
})();
