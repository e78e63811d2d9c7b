"use strict";
(() => {
  const form = document.getElementById("filter");
  const trials = [...document.querySelectorAll("details.trial")];

  /* Opens the trial that an address names: the dots of the charts lead here. */
  const openNamed = () => {
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (named && named.matches("details.trial")) {
      named.hidden = false;
      named.open = true;
      named.querySelector("summary").focus();
      named.scrollIntoView();
    }
  };
  addEventListener("hashchange", openNamed);

  if (form) {
    const fields = form.elements;
    const shows = (trial) =>
      (!fields.arm.value || trial.dataset.arm === fields.arm.value) &&
      (!fields.outcome.value || trial.dataset.outcome === fields.outcome.value) &&
      (!fields.verdict.value ||
        trial.dataset.verdicts.split(" ").includes(fields.verdict.value)) &&
      trial.textContent.toLowerCase().includes(fields.text.value.toLowerCase());
    const apply = () => {
      let count = 0;
      for (const trial of trials) {
        trial.hidden = !shows(trial);
        count += trial.hidden ? 0 : 1;
      }
      fields.count.value = `${count} of ${trials.length} trials`;
    };
    const shown = () => trials.filter((trial) => !trial.hidden);
    const step = (by) => {
      const list = shown();
      const at = list.findIndex((trial) => trial.contains(document.activeElement));
      const next = list[at < 0 ? (by > 0 ? 0 : list.length - 1) : at + by];
      if (next) next.querySelector("summary").focus();
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    fields.open.addEventListener("click", () => shown().forEach((trial) => (trial.open = true)));
    fields.close.addEventListener("click", () => trials.forEach((trial) => (trial.open = false)));
    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.target.closest("input, select, textarea")) {
        if (event.key === "Escape") event.target.blur();
        return;
      }
      if (event.key === "/") {
        event.preventDefault();
        fields.text.focus();
      } else if (event.key === "j") step(1);
      else if (event.key === "k") step(-1);
    });
    form.hidden = false;
    document.querySelector(".keys").hidden = false;
    apply();
  }
  openNamed();
})();
