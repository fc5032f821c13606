/** A line one writes in: Enter sends, Shift+Enter begins a new line, Escape gives up an edit. */

/** `onSend` gets a new text, `onEdit` a message's id and its new text, `onInput` hears what stands there while something new is written. */
export function createComposer(form, { onSend, onEdit, onInput }) {
  const { body } = form.elements;
  const note = form.querySelector('.editing');
  let editing = null;

  function fill(text = '', messageId = null) {
    editing = messageId;
    note.hidden = messageId === null;
    body.value = text;
    // Where the keyboard would come up over half of the page, it waits until it is asked for.
    if (matchMedia('(pointer: fine)').matches) body.focus();
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = body.value;
    const messageId = editing;
    if (text.trim() === '') return;
    fill();
    if (messageId === null) onSend(text);
    else onEdit(messageId, text);
  });
  body.addEventListener('input', () => {
    if (editing === null) onInput(body.value);
  });
  body.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && editing !== null) {
      event.preventDefault();
      fill();
    }
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  note.querySelector('button').addEventListener('click', () => fill());

  return {
    /** With a draft, or with a message that is to be edited. */
    fill,
    /** What was begun and not sent. */
    get draft() {
      return editing === null ? body.value : '';
    },
  };
}
