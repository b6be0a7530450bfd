// Lines over time, by uPlot, with the values beside their names below: those of
// the moment that is pointed at, else the newest.
import { html } from './html.js';
import { useEffect, useRef, useState } from './preact_hooks.js';
import { useThemeChange } from './theme.js';

const kHeight = 200;
const kColours = 6; // --series-0 ... in theme.css
const kTimeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300]; // seconds
const kDashes = [undefined, [6, 3], [2, 3]];

// What a custom property is as a colour, in the theme that is on.
function colour(element, property) {
  element.style.color = `var(${property})`;
  const found = getComputedStyle(element).color;
  element.style.color = '';
  return found;
}

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB');
}

function lines(element, series) {
  return series.map((one, i) => ({
    label: one.label,
    stroke: colour(element, `--series-${i % kColours}`),
    width: 1.5,
    dash: kDashes[Math.floor(i / kColours) % kDashes.length],
    // One value alone is no line.
    points: { show: (plot) => plot.data[0].length < 2 },
    spanGaps: false,
  }));
}

function options(element, { series, format, least }, setIndex) {
  const grid = { stroke: colour(element, '--line'), width: 1 };
  const axis = { stroke: colour(element, '--muted'), grid, ticks: grid,
    font: '12px system-ui, sans-serif' };
  return {
    width: element.clientWidth,
    height: kHeight,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 5 } },
    hooks: { setCursor: [(plot) => setIndex(plot.cursor.idx)] },
    scales: { y: { range: (plot, low, high) =>
      [0, Math.max(least, high * 1.1)] } },
    axes: [{ ...axis, size: 30, space: 72, incrs: kTimeSteps,
      values: (plot, times) => times.map(clock) },
    { ...axis, size: 64, values: (plot, values) => values.map(format) }],
    series: [{}, ...lines(element, series)],
  };
}

function usePlot(shown) {
  const { times, series } = shown;
  const element = useRef(null);
  const plot = useRef(null);
  const [index, setIndex] = useState(null);
  const theme = useThemeChange();
  const data = [times, ...series.map((one) => one.values)];
  const names = series.map((one) => one.label).join('\n');
  useEffect(() => {
    plot.current = new globalThis.uPlot(
      options(element.current, shown, setIndex), data,
      element.current);
    const resized = new ResizeObserver(() => plot.current.setSize(
      { width: element.current.clientWidth, height: kHeight }));
    resized.observe(element.current);
    return () => {
      resized.disconnect();
      plot.current.destroy();
    };
  }, [names, theme]);
  useEffect(() => plot.current.setData(data), [times, names]);
  return [element, index];
}

// series: [{label, values}], as long as `times`, in seconds. The axis reaches
// to `least` at least.
export function Chart(shown) {
  const { title, times, series, format } = shown;
  const [element, index] = usePlot(shown);
  const at = index ?? times.length - 1;
  return html`<figure class="chart">
    <div ref=${element} role="img" aria-label=${`${title}, over the last ${
      times.length} seconds; the values are in the list below`}></div>
    <figcaption><ul class="legend">${series.map((one, i) => html`<li
      key=${one.label}><span class=${`swatch series-${i % kColours}`}
      aria-hidden="true"></span>${one.label} <strong>${
      format(one.values[at] ?? null)}</strong></li>`)}</ul></figcaption>
  </figure>`;
}
