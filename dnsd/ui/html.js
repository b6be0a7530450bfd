// html`...` makes preact's elements. What stands in ${} is text or elements,
// never markup: nothing in this folder uses innerHTML.
import htm from './htm.js';
import { h } from './preact.js';

export const html = htm.bind(h);
