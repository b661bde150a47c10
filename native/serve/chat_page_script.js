// The chat page's script: messages to /v1/chat/completions, the answer as it comes.
(() => {
  const element = (id) => document.getElementById(id);
  const log = element("log");
  const text = element("text");
  const send = element("send");
  let messages = [];
  let running = null;

  function show(kind, content) {
    const box = document.createElement("div");
    box.className = `message ${kind}`;
    box.textContent = content;
    log.append(box);
    box.scrollIntoView({ block: "end" });
    return box;
  }

  function setRunning(controller) {
    running = controller;
    send.textContent = controller ? "Stop" : "Send";
  }

  // Events of a stream, one JSON object each.
  async function* events(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const data = part.replace(/^data: /, "");
        if (data !== "[DONE]") yield JSON.parse(data);
      }
    }
  }

  async function answer(signal, box) {
    const system = element("system").value.trim();
    const key = element("key").value;
    const response = await fetch("v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({
        model: element("model").value,
        messages: [...(system ? [{ role: "system", content: system }] : []), ...messages],
        temperature: Number(element("temperature").value),
        max_tokens: Number(element("max").value) || undefined,
        stream: true,
      }),
      signal,
    });
    if (!response.ok) throw new Error((await response.json()).error.message);
    let content = "";
    for await (const { error, choices } of events(response.body)) {
      if (error) throw new Error(error.message);
      content += choices[0]?.delta.content ?? "";
      box.textContent = content;
      box.scrollIntoView({ block: "end" });
    }
  }

  async function submit() {
    const content = text.value.trim();
    if (content === "") return;
    text.value = "";
    grow();
    show("user", content);
    messages.push({ role: "user", content });
    const controller = new AbortController();
    setRunning(controller);
    const box = show("assistant", "…");
    try {
      await answer(controller.signal, box);
    } catch (error) {
      if (!controller.signal.aborted) show("error", error.message);
    }
    if (box.textContent === "…") {
      box.remove();
      messages.pop();
    } else messages.push({ role: "assistant", content: box.textContent });
    if (running === controller) setRunning(null);
    text.focus();
  }

  function grow() {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight + 2}px`;
  }

  text.addEventListener("input", grow);
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!running) submit();
  });
  element("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (running) running.abort();
    else submit();
  });
  element("new").addEventListener("click", () => {
    running?.abort();
    messages = [];
    log.replaceChildren();
    text.focus();
  });
})();
