// Passports of numbers, and words of the glossary: hovering or focus shows a card, a tap or Enter keeps it open, Escape closes it.
(function () {
  "use strict";
  var root = document.documentElement;
  var strip = document.querySelector(".gz-strip");
  if (!strip) return;
  var offset = strip.dataset.offset, map = window.gzPassports || null;

  function element(tag, text, name) {
    var made = document.createElement(tag);
    if (text) made.textContent = text;
    if (name) made.className = name;
    return made;
  }
  function link(text, address) {
    var made = element("a", text);
    made.href = offset + address;
    return made;
  }

  // ---- what a passport says, and where each line leads
  var names = {
    shown: "Shown here", label: "What it is", value: "Value", interval: "Range", level: "Level", method: "Method", n: "n", metric: "Definition",
    as_of: "Data until", query: "Query", cell: "Cell", snapshot: "Snapshot", edition: "Edition", twice: "Checked", note: "Note", remark: "Remark", id: "Number"
  };
  var leads = {
    metric: function (facts) {
      var metric = facts.metric.split(",")[0];
      return map.metrics.indexOf(metric) >= 0 && "metrics/" + metric + ".html";
    },
    query: function (facts) {
      var asks = function (name) { return map.queries[name].indexOf(facts.query) >= 0; };
      var own = map.snapshots[facts.snapshot], all = Object.keys(map.queries).filter(asks);
      var owner = own && asks(own) ? own : all.length === 1 ? all[0] : ""; // a page may read a query that another one froze
      if (!owner) return "";
      return "provenance.html#query-" + owner + "-" + facts.query.replace(/_/g, "-");
    },
    cell: function (facts) {
      var page = map.pages[facts.id.split(".")[0]];
      var cell = facts.cell.replace(/_/g, "-");
      return page && page.at + (page.cells.indexOf(cell) >= 0 ? "#cell-" + cell : "");
    },
    snapshot: function (facts) {
      var owner = map.snapshots[facts.snapshot];
      return owner && "provenance.html#snapshot-" + owner;
    },
    edition: function () { return "provenance.html"; },
    twice: function () { return "provenance.html#computed-twice"; }
  };
  function passport(number) {
    var facts = JSON.parse(number.dataset.passport);
    var own = map && map.twice && !facts.edition; // a number quoted from another edition was checked there
    if (map) facts.edition = facts.edition ? facts.edition + ", quoted in " + map.edition : map.edition;
    if (own && map.twice.indexOf(facts.id) >= 0) facts.twice = "computed a second time by separate code: the same";
    var list = element("dl");
    Object.keys(names).forEach(function (key) {
      if (!facts[key]) return;
      var value = element("dd"), to = map && leads[key] ? leads[key](facts) : "", text = facts[key];
      if (key === "cell" && map && map.pages[facts.id.split(".")[0]]) text += " of " + map.pages[facts.id.split(".")[0]].title;
      value.append(to ? link(text, to) : text);
      list.append(element("dt", names[key]), value);
    });
    return list;
  }
  function meaning(word) {
    var box = element("div"), more = element("a", "Glossary");
    more.href = word.getAttribute("href");
    box.append(element("p", word.dataset.gloss), more);
    return box;
  }

  // ---- the card: one at a time; it stays while the pointer is over it, and until it is closed once it is kept
  var card = null, owner = null, kept = false, leaving = 0;
  function hide() {
    clearTimeout(leaving);
    if (!card) return;
    card.remove();
    owner.removeAttribute("aria-describedby");
    owner.setAttribute("aria-expanded", "false");
    card = owner = null;
    kept = false;
  }
  function later() {
    clearTimeout(leaving);
    leaving = setTimeout(function () { if (!kept && !(card && card.contains(document.activeElement))) hide(); }, 250);
  }
  function place() {
    if (window.innerWidth <= 600) return; // the style lays it at the bottom of the screen
    var box = owner.getBoundingClientRect(), width = card.offsetWidth;
    card.style.left = Math.max(8, Math.min(box.left, root.clientWidth - width - 8)) + window.scrollX + "px";
    var below = box.bottom + card.offsetHeight + 12 < window.innerHeight || box.top < card.offsetHeight + 12;
    card.style.top = (below ? box.bottom + 6 : box.top - card.offsetHeight - 6) + window.scrollY + "px";
  }
  function show(target, keep) {
    clearTimeout(leaving);
    if (owner === target) { kept = kept || keep; return; }
    if (kept && !keep) return; // another one is being read
    hide();
    var number = target.classList.contains("gz-number");
    owner = target;
    kept = keep;
    card = element("div", "", "gz-passport");
    card.id = "gz-card";
    card.setAttribute("role", "dialog");
    card.setAttribute("aria-label", number ? "Where this number comes from" : "What this word means");
    var close = element("button", "×", "gz-close");
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", function () { var back = owner; hide(); quiet(back); });
    card.append(close, number ? passport(target) : meaning(target));
    card.addEventListener("mouseenter", function () { clearTimeout(leaving); });
    card.addEventListener("mouseleave", later);
    card.addEventListener("focusout", later);
    card.addEventListener("keydown", function (event) {
      var stops = card.querySelectorAll("a, button"), at = document.activeElement;
      var out = event.key === "Tab" && (event.shiftKey ? at === stops[0] : at === stops[stops.length - 1]);
      if (out) { event.preventDefault(); var back = owner; hide(); quiet(back); }
    });
    document.body.appendChild(card);
    target.setAttribute("aria-describedby", card.id);
    target.setAttribute("aria-expanded", "true");
    place();
  }
  var still = false; // giving the focus back does not open the card again
  function quiet(target) { still = true; target.focus(); still = false; }
  function keep(target) {
    show(target, true);
    var first = card.querySelector("dl a, p + a") || card.querySelector("button");
    first.focus({ preventScroll: true });
  }

  document.querySelectorAll(".gz-number, .gz-gloss").forEach(function (target) {
    if (target.classList.contains("gz-number")) target.setAttribute("role", "button");
    target.setAttribute("aria-haspopup", "dialog");
    target.setAttribute("aria-expanded", "false");
    target.addEventListener("mouseenter", function () { show(target, false); });
    target.addEventListener("mouseleave", later);
    target.addEventListener("focus", function () { if (!still) show(target, false); });
    target.addEventListener("blur", later);
    target.addEventListener("click", function (event) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a word opens the glossary in a window of its own
      event.preventDefault();
      show(target, true);
    });
    target.addEventListener("keydown", function (event) {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      keep(target);
    });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape" || !card) return;
    var back = card.contains(document.activeElement) ? owner : null;
    hide();
    if (back) quiet(back);
  });
  document.addEventListener("click", function (event) {
    if (card && !card.contains(event.target) && !owner.contains(event.target)) hide();
  });
  window.addEventListener("resize", hide);

  // ---- arriving at a cell: its code is opened and marked
  function arrive() {
    hide();
    var id = decodeURIComponent(location.hash.slice(1));
    var mark = /^(cell|query|snapshot)-/.test(id) ? document.getElementById(id) : null;
    if (!mark) return;
    for (var above = mark; above; above = above.parentElement) if (above.tagName === "DETAILS") above.open = true;
    var next = mark;
    while (mark.classList.contains("gz-cell") && next && next.parentElement && !next.nextElementSibling) next = next.parentElement;
    var cell = mark.classList.contains("gz-cell") && next ? next.nextElementSibling : null;
    while (cell && cell.classList.contains("gz-cell")) cell = cell.nextElementSibling;
    if (cell) {
      var fold = cell.tagName === "DETAILS" ? cell : cell.querySelector("details.code-fold, details");
      if (fold) fold.open = true;
      document.querySelectorAll(".gz-arrived").forEach(function (one) { one.classList.remove("gz-arrived"); });
      cell.classList.add("gz-arrived");
    }
    mark.scrollIntoView();
    stay(mark);
  }
  // Charts above are drawn late and push the cell away: it is brought back, until the reader takes over.
  var watch = null;
  function stay(mark) {
    if (!window.ResizeObserver) return;
    if (watch) watch.disconnect();
    watch = new ResizeObserver(function () { mark.scrollIntoView(); });
    watch.observe(document.body);
    function release() { if (watch) watch.disconnect(); watch = null; }
    ["wheel", "touchmove", "keydown", "pointerdown"].forEach(function (name) { window.addEventListener(name, release, { once: true, passive: true }); });
    setTimeout(release, 5000);
  }
  window.addEventListener("hashchange", arrive);
  if (location.hash) { arrive(); window.addEventListener("load", arrive); }
})();
