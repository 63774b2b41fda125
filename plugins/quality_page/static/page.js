// Follows the theme of the Airflow page that frames this one, and opens Airflow's pages there instead of in the frame.
"use strict";
(() => {
  let airflow = null;
  try {
    airflow = window.parent !== window && window.parent.document ? window.parent : null;
  } catch {
    return; // another site's frame: the page works without
  }
  if (!airflow) return;
  const root = airflow.document.documentElement;
  const follow = () => {
    const known = ["dark", "light"].find((theme) => root.classList.contains(theme));
    if (known) document.documentElement.dataset.theme = known;
  };
  follow();
  new MutationObserver(follow).observe(root, { attributes: true, attributeFilter: ["class"] });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-airflow]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    airflow.history.pushState({}, "", link.href);
    airflow.dispatchEvent(new airflow.PopStateEvent("popstate", { state: airflow.history.state }));
  });
})();
