"use strict";
(() => {
	const period = 5000; // milliseconds between updates
	const live = document.getElementById("live");
	const notice = document.getElementById("notice");
	const button = document.getElementById("pause");
	const announcement = document.getElementById("announcement");
	let timer, updating = false, paused = false, failed = false;
	let updated = new Date();

	const timeOf = (date) => date.toISOString().slice(11, 19) + " UTC";
	const lengthOf = (node) => node.nodeType === Node.TEXT_NODE ? node.length : node.childNodes.length;
	const keyOf = (node) => node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;
	const isAlike = (a, b) => a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

	// become changes an element into another one, node by node: what stays keeps the focus
	// and its scroll position.
	function become(from, to) {
		for (const {name, value} of [...to.attributes]) {
			if (from.getAttribute(name) !== value) from.setAttribute(name, value);
		}
		for (const {name} of [...from.attributes]) {
			if (!to.hasAttribute(name)) from.removeAttribute(name);
		}
		const keys = new Set([...to.children].map(keyOf));
		const keyed = new Map();
		for (const child of [...from.children]) {
			const key = keyOf(child);
			if (key === null) continue;
			if (!keys.has(key) || keyed.has(key)) child.remove();
			else keyed.set(key, child);
		}
		let at = from.firstChild;
		for (const next of [...to.childNodes]) {
			const key = keyOf(next);
			let same = key === null ? at : keyed.get(key);
			if (!same || !isAlike(same, next)) {
				from.insertBefore(document.importNode(next, true), at);
				continue;
			}
			keyed.delete(key);
			if (same === at) at = at.nextSibling;
			else from.insertBefore(same, at);
			if (same.nodeType === Node.ELEMENT_NODE) become(same, next);
			else if (same.data !== next.data) same.data = next.data;
		}
		while (at) {
			const rest = at;
			at = at.nextSibling;
			rest.remove();
		}
	}

	// keepSelection selects the same again after change, which may have replaced the text
	// where the selection begins or ends.
	function keepSelection(change) {
		const selection = document.getSelection();
		const {isCollapsed, anchorNode, anchorOffset, focusNode, focusOffset} = selection;
		change();
		if (!isCollapsed && anchorNode.isConnected && focusNode.isConnected) {
			selection.setBaseAndExtent(anchorNode, Math.min(anchorOffset, lengthOf(anchorNode)), focusNode, Math.min(focusOffset, lengthOf(focusNode)));
		}
	}

	function show(page) {
		const next = page.getElementById("live");
		if (!next) throw new Error("the server responded with another page");
		const before = live.dataset.state;
		const focused = live.contains(document.activeElement);
		keepSelection(() => become(live, next));
		if (focused && !live.contains(document.activeElement)) live.focus({preventScroll: true});
		if (document.title !== page.title) document.title = page.title;
		if (live.dataset.state !== before) {
			const n = Number(live.dataset.problems);
			announce(`The state is now ${live.dataset.state}` + (n ? `, with ${n} problem${n > 1 ? "s" : ""}.` : "."));
		}
	}

	function announce(text) {
		announcement.textContent = text;
	}

	function note(text) {
		if (notice.textContent !== text) notice.textContent = text;
		notice.classList.toggle("failed", failed);
	}

	async function load() {
		const abort = new AbortController();
		const late = setTimeout(() => abort.abort(), 2 * period);
		try {
			const response = await fetch(location.pathname + location.search, {
				headers: {Accept: "text/html"}, cache: "no-store", redirect: "manual", signal: abort.signal,
			});
			if (response.type === "opaqueredirect") throw new Error("the server redirects, perhaps to a login: reload the page");
			if (!response.ok) throw new Error(`the server responded with ${response.status}`);
			return new DOMParser().parseFromString(await response.text(), "text/html");
		} catch (e) {
			throw e instanceof TypeError || e.name === "AbortError" ? new Error("the server cannot be reached") : e;
		} finally {
			clearTimeout(late);
		}
	}

	async function update() {
		clearTimeout(timer);
		if (updating || paused || document.hidden) return;
		updating = true;
		try {
			show(await load());
			if (failed) announce("Updates work again.");
			failed = false;
			updated = new Date();
			note(`Updates every ${period / 1000} seconds`);
		} catch (e) {
			if (!failed) announce(`Updates fail: ${e.message}.`);
			failed = true;
			note(`Last update ${timeOf(updated)}: ${e.message}`);
		}
		updating = false;
		timer = setTimeout(update, period);
	}

	button.addEventListener("click", () => {
		paused = !paused;
		button.setAttribute("aria-pressed", String(paused));
		clearTimeout(timer);
		if (paused) note(`Paused, last update ${timeOf(updated)}`);
		else update();
	});
	document.addEventListener("visibilitychange", update);
	button.hidden = false;
	note(`Updates every ${period / 1000} seconds`);
	timer = setTimeout(update, period);
})();
