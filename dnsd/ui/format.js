// Numbers and times as people read them.
const kWhole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const kSome = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const kUnits = ['B', 'KiB', 'MiB', 'GiB'];

export function count(value) {
  return kWhole.format(value);
}

export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function rate(value) {
  if (value === null || value === undefined) return '–';
  return value >= 10 ? kWhole.format(value) : kSome.format(value);
}

export function milliseconds(value) {
  if (value === null || value === undefined) return '–';
  if (value < 1) return `${kWhole.format(value * 1000)} µs`;
  return value < 1000 ? `${kSome.format(value)} ms`
    : `${kSome.format(value / 1000)} s`;
}

export function percent(share) {
  return share === null ? '–' : `${kSome.format(100 * share)} %`;
}

export function bytes(value) {
  let unit = 0;
  while (value >= 1024 && unit < kUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${kSome.format(value)} ${kUnits[unit]}`;
}

// "3 d 4 h", "12 s"
export function duration(seconds) {
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  let left = Math.max(0, Math.floor(seconds));
  const words = [];
  for (const [size, unit] of parts) {
    if (left >= size && words.length < 2) {
      words.push(`${Math.floor(left / size)} ${unit}`);
      left %= size;
    }
  }
  return words.join(' ') || '0 s';
}
