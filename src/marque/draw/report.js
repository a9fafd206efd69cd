(() => {
  const drive = JSON.parse(document.getElementById("drive").textContent);
  const map = document.getElementById("map"), car = document.getElementById("car");
  const readout = document.querySelector(".readout");
  const x0 = +map.dataset.x0, y1 = +map.dataset.y1;
  const home = map.getAttribute("viewBox").split(" ").map(Number);
  let view = [...home];
  const show = () => {
    map.setAttribute("viewBox", view.join(" "));
    const box = map.getBoundingClientRect();
    map.style.setProperty("--k", Math.max(view[2] / box.width, view[3] / box.height));
  };
  const unit = () => { const b = map.getBoundingClientRect(); return Math.max(view[2] / b.width, view[3] / b.height); };
  map.addEventListener("wheel", e => {
    e.preventDefault();
    const b = map.getBoundingClientRect(), f = Math.exp(e.deltaY * 0.0015);
    const w = Math.min(home[2] * 1.5, Math.max(400, view[2] * f)), g = w / view[2];
    const px = view[0] + (e.clientX - b.left) / b.width * view[2];
    const py = view[1] + (e.clientY - b.top) / b.height * view[3];
    view = [px - (px - view[0]) * g, py - (py - view[1]) * g, w, view[3] * g];
    show();
  }, { passive: false });
  let drag = null;
  map.addEventListener("pointerdown", e => { drag = [e.clientX, e.clientY]; map.setPointerCapture(e.pointerId); });
  map.addEventListener("pointermove", e => {
    if (!drag) return;
    const k = unit();
    view[0] -= (e.clientX - drag[0]) * k; view[1] -= (e.clientY - drag[1]) * k;
    drag = [e.clientX, e.clientY]; show();
  });
  map.addEventListener("pointerup", () => { drag = null; });
  map.addEventListener("dblclick", () => { view = [...home]; show(); });
  addEventListener("resize", show);
  const clock = t => Math.floor(t / 60) + ":" + (t % 60).toFixed(1).padStart(4, "0");
  const at = k => {
    const [x, y, h] = [drive.x[k], drive.y[k], drive.h[k]];
    car.setAttribute("transform", `translate(${(x - x0) * 10} ${(y1 - y) * 10}) rotate(${-h})`);
    car.style.visibility = readout.style.visibility = "visible";
    readout.innerHTML = `<b>${(drive.v[k] * 3.6).toFixed(0)} km/h</b> &nbsp;${clock(drive.t[k])}<br>` +
      `${(drive.s[k] / 1000).toFixed(2)} km · ${drive.words[drive.r[k]]}`;
    for (const c of document.querySelectorAll(".charts .cursor")) {
      const xs = c.closest(".byway") ? drive.s : drive.t;
      const px = 46 + (xs[k] - xs[0]) / (xs[xs.length - 1] - xs[0] || 1) * (1120 - 58);
      c.setAttribute("transform", `translate(${px} 0)`); c.style.visibility = "visible";
    }
  };
  const find = (xs, value) => {
    let lo = 0, hi = xs.length - 1;
    while (lo < hi) { const m = (lo + hi) >> 1; if (xs[m] < value) lo = m + 1; else hi = m; }
    return lo;
  };
  for (const chart of document.querySelectorAll(".charts svg")) chart.addEventListener("pointermove", e => {
    const b = chart.getBoundingClientRect(), xs = chart.closest(".byway") ? drive.s : drive.t;
    const f = ((e.clientX - b.left) / b.width * 1120 - 46) / (1120 - 58);
    at(find(xs, xs[0] + Math.min(1, Math.max(0, f)) * (xs[xs.length - 1] - xs[0])));
  });
  for (const row of document.querySelectorAll("tr[data-t]")) row.addEventListener("click", () => {
    const k = find(drive.t, +row.dataset.t), w = Math.min(home[2], 4000), g = w / home[2];
    at(k);
    view = [(drive.x[k] - x0) * 10 - w / 2, (y1 - drive.y[k]) * 10 - home[3] * g / 2, w, home[3] * g];
    show();
    map.scrollIntoView({ block: "nearest", behavior: "smooth" });
  });
  show();
})();
