// The token that goes along with what this tab asks, for servers with ACLs.
import { setToken } from './api.js';
import { html } from './html.js';
import { useToken } from './live.js';
import { useRef } from './preact_hooks.js';

export function TokenBox() {
  const dialog = useRef(null);
  const input = useRef(null);
  const has = useToken() !== '';
  const save = (event) => {
    event.preventDefault();
    setToken(input.current.value.trim());
    input.current.value = '';
    dialog.current.close();
  };
  const forget = () => {
    setToken('');
    dialog.current.close();
  };
  return html`<button class="plain" onClick=${() =>
      dialog.current.showModal()}>${has ? 'Token: set' : 'Token'}</button>
    <dialog ref=${dialog} aria-labelledby="token-title">
      <form onSubmit=${save}>
        <h2 id="token-title">Token</h2>
        <p>With ACLs enabled, what is shown here is what the token may read.
          It is kept in this tab, until it is closed.</p>
        <label class="box"><span>Secret</span><input type="password"
          ref=${input} autocomplete="off" required/></label>
        <p class="buttons"><button class="primary">Use it</button>
          ${has && html`<button type="button" onClick=${forget}>Forget it
          </button>`}
          <button type="button" onClick=${() =>
            dialog.current.close()}>Cancel</button></p>
      </form></dialog>`;
}
