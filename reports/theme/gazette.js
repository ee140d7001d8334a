// Behaviour of the pages: edition switcher, charts, dark look, filters. Nothing here loads from the web.
(function () {
  "use strict";
  var root = document.documentElement;
  var strip = document.querySelector(".gz-strip");
  if (!strip) return;
  var here = strip.dataset.edition, shelf = strip.dataset.shelf, offset = strip.dataset.offset;

  function element(tag, text, name) {
    var made = document.createElement(tag);
    if (text) made.textContent = text;
    if (name) made.className = name;
    return made;
  }

  // The moment at which an ISO week such as 2026-W47 is over (UTC): the fourth of January lies in week one.
  function weekEnd(text) {
    var fourth = new Date(Date.UTC(+text.slice(0, 4), 0, 4));
    return +fourth - ((fourth.getUTCDay() + 6) % 7) * 864e5 + +text.slice(6) * 7 * 864e5;
  }

  // ---- editions: the list is a script, so it also loads from file://
  var editions = window.gzEditions || [];
  var label = strip.querySelector(".gz-switch");
  if (editions.length) {
    var select = label.querySelector("select");
    if (!here) select.appendChild(element("option", "choose a week"));
    editions.forEach(function (one) {
      var option = element("option", one.edition + " (" + one.dates + ")" + (one.failed ? ", incomplete" : ""));
      option.value = one.edition;
      option.selected = one.edition === here;
      select.appendChild(option);
    });
    select.addEventListener("change", function () {
      if (select.value && select.value !== here) location.href = shelf + "editions/" + encodeURIComponent(select.value) + "/index.html";
    });
    label.hidden = false;
    var newest = editions[0];
    if (here && newest.edition !== here && newest.edition > here) {
      var old = strip.querySelector(".gz-old"), link = element("a", "Read " + newest.edition + " (" + newest.dates + ").");
      link.href = shelf + "editions/" + encodeURIComponent(newest.edition) + "/index.html";
      old.append("This is an earlier edition, as it was published. ", link);
      old.hidden = false;
    }
    var days = Math.floor((Date.now() - weekEnd(newest.edition)) / 864e5);
    if (days > 9 && (!here || here === newest.edition)) {
      var stale = element("p", "The newest edition is of a week that ended " + days + " days ago; what it says may be out of date.", "gz-stale");
      stale.setAttribute("role", "status");
      strip.appendChild(stale);
    }
  }

  // ---- for keyboards and for those who listen: parts have names, and what scrolls can be reached
  [[".navbar", "Pages"], ['nav[role="doc-toc"]', "On this page"]].forEach(function (part) {
    document.querySelectorAll(part[0]).forEach(function (found) { if (!found.hasAttribute("aria-label")) found.setAttribute("aria-label", part[1]); });
  });
  var text = document.querySelector("main[id]");
  if (text) {
    var skip = element("a", "To the text", "gz-skip");
    skip.href = "#" + text.id;
    strip.prepend(skip);
    text.tabIndex = -1;
  }
  function reach() {
    document.querySelectorAll(".gz-table-wrap, pre").forEach(function (box) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
    });
  }
  window.addEventListener("load", reach);
  window.addEventListener("resize", reach);

  // ---- light and dark
  function isDark() {
    return root.dataset.bsTheme === "dark" || document.body.classList.contains("quarto-dark");
  }
  if (root.dataset.bsTheme) {
    var toggle = element("button", "", "gz-scheme");
    toggle.type = "button";
    var word = function () { toggle.textContent = isDark() ? "☀ Light" : "☾ Dark"; };
    toggle.addEventListener("click", function () {
      root.dataset.bsTheme = isDark() ? "light" : "dark";
      try { localStorage.setItem("gz-scheme", root.dataset.bsTheme); } catch (e) { /* private window */ }
      paint();
    });
    strip.querySelector(".gz-strip-inner").appendChild(toggle);
    var paint = function () {
      word();
      root.classList.toggle("quarto-dark", isDark());
      document.querySelectorAll(".sd-navbar-default").forEach(function (bar) { bar.dataset.bsTheme = isDark() ? "dark" : "light"; });
      redraw();
    };
    window.addEventListener("load", paint);
  } else {
    new MutationObserver(redraw).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  // ---- charts: the library is loaded once, by the first chart that comes into view
  var library = null;
  function vega() {
    library = library || new Promise(function (done, fail) {
      var script = element("script");
      script.src = offset + "theme/vega.js";
      script.onload = function () { done(window.vegaEmbed); };
      script.onerror = function () { fail(new Error("the chart library is missing")); };
      document.head.appendChild(script);
    });
    return library;
  }
  function look() {
    var style = getComputedStyle(document.body), ink = style.color, line = isDark() ? "#5a6068" : "#c9ced4";
    return {
      background: null, font: style.fontFamily,
      view: { stroke: null },
      rule: { color: ink },
      axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
      legend: { labelColor: ink, titleColor: ink, labelFontSize: 12, symbolOpacity: 1 },
      title: { color: ink },
      header: { labelColor: ink, titleColor: ink }
    };
  }
  // The colours of series and states, as light as a dark page needs them.
  var ON_DARK = { "#1b5e9e": "#6aa9e9", "#9a6b00": "#d9a441", "#5b5b5b": "#a9b0b7", "#1a7f4b": "#4fc08a", "#b3261e": "#f28b82", "#b07800": "#e5ae4a" };
  // Controls set parameters of every chart on the page that knows them, those drawn later too.
  var chosen = {};
  function apply(figure) {
    var known = figure.view.getState({ signals: function () { return true; }, data: function () { return false; } }).signals;
    Object.keys(chosen).forEach(function (name) { if (name in known) figure.view.signal(name, chosen[name]); });
    return figure.view.runAsync();
  }
  document.querySelectorAll(".gz-controls select[data-param]").forEach(function (select) {
    select.addEventListener("change", function () {
      chosen[select.dataset.param] = select.value;
      figures.forEach(function (figure) { if (figure.view) apply(figure); });
    });
  });
  function draw(figure) {
    var text = figure.querySelector('script[type="application/json"]').textContent;
    var spec = JSON.parse(isDark() ? text.replace(/#[0-9a-f]{6}\b/g, function (colour) { return ON_DARK[colour] || colour; }) : text);
    var target = figure.querySelector(".gz-vega"), caption = figure.querySelector("figcaption");
    target.setAttribute("role", "img"); // one picture, which its caption tells
    target.setAttribute("aria-label", caption ? caption.textContent.trim() : "Chart");
    return vega().then(function (embed) {
      return embed(target, Object.assign({}, spec, { config: look() }), { actions: false, renderer: "svg", ast: true, tooltip: { theme: isDark() ? "dark" : "light" } });
    }).then(function (made) {
      figure.view = made.view;
      figure.dataset.drawn = "yes";
      return apply(figure);
    }).then(function () {
      target.querySelectorAll("svg [role], svg [aria-label]").forEach(function (mark) {
        ["role", "aria-roledescription", "aria-label"].forEach(function (name) { mark.removeAttribute(name); });
      });
    }).then(null, function (error) {
      target.textContent = "This chart cannot be drawn here; its figures are in the table. (" + error.message + ")";
      figure.dataset.drawn = "failed";
    });
  }
  var figures = Array.prototype.slice.call(document.querySelectorAll(".gz-chart"));
  function redraw() { figures.forEach(function (figure) { if (figure.dataset.drawn) draw(figure); }); }
  if (window.IntersectionObserver) {
    var watch = new IntersectionObserver(function (seen) {
      seen.forEach(function (entry) {
        if (entry.isIntersecting) { watch.unobserve(entry.target); draw(entry.target); }
      });
    }, { rootMargin: "400px" });
    figures.forEach(function (figure) { watch.observe(figure); });
  } else figures.forEach(draw);
  // Paper cannot wait for a chart, so those that nobody scrolled to are drawn once the page is at rest, one after the other.
  function rest(list) {
    var next = list.filter(function (figure) { return !figure.dataset.drawn && figure.offsetWidth; })[0];
    if (next && watch) watch.unobserve(next);
    if (next) draw(next).then(function () { setTimeout(function () { rest(list); }, 0); });
  }
  window.addEventListener("load", function () { (window.requestIdleCallback || setTimeout)(function () { rest(figures); }); });
  window.addEventListener("beforeprint", function () { figures.forEach(function (figure) { if (!figure.dataset.drawn) draw(figure); }); });

  // ---- filters of long tables
  document.querySelectorAll("input[data-filters]").forEach(function (input) {
    var rows = Array.prototype.slice.call(document.querySelectorAll("#" + input.dataset.filters + " tbody tr"));
    var count = input.parentElement.querySelector(".gz-count");
    var texts = rows.map(function (row) { return row.textContent.toLowerCase(); });
    input.addEventListener("input", function () {
      var words = input.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
      rows.forEach(function (row, i) {
        row.hidden = !words.every(function (word) { return texts[i].indexOf(word) >= 0; });
        if (!row.hidden) shown += 1;
      });
      count.textContent = words.length ? shown + " of " + rows.length : "";
    });
  });
})();
