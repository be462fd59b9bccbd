// Script of a map: who can resolve whom, on pointing, choosing and by keyboard. It makes text, never markup.

/// The script of ``MapPage``.
enum MapScript {
    /// Hash of ``text`` (https://www.w3.org/TR/CSP3/ §2.3.1); a test compares the two.
    static let hash = "sha256-79R2s8FACPwSge4Q9qzpmPtycXb4XVvPDwcEAF21hDU="

    /// JavaScript.
    static let text = #"""

        'use strict';
        (() => {
          const town = JSON.parse(document.getElementById('town').textContent);
          const svg = document.querySelector('svg');
          const panel = document.getElementById('panel');
          const find = document.getElementById('find');
          const houses = [...svg.querySelectorAll('.house')];
          const hint = [...panel.childNodes];
          const most = 80;
          let chosen = null;
          let current = houses[0] || null;
          if (current) current.setAttribute('tabindex', '0');

          const number = element => Number(element.dataset.resident);
          const isNetwork = door => town.streets[door.street].name != null;
          // A link is one more name, for a container that shares a network: it opens no other.
          const shared = (one, other) => one.doors.some(a => isNetwork(a) && other.doors.some(b => b.street === a.street && b.names.length));
          const resolves = (one, other) => town.residents[one].asks && shared(town.residents[one], town.residents[other]);
          const others = (of, test) => town.residents.map((_, other) => other).filter(other => other !== of && test(other));

          const element = (kind, text, name) => {
            const made = document.createElement(kind);
            if (text != null) made.textContent = text;
            if (name) made.className = name;
            return made;
          };
          const list = (title, numbers) => {
            panel.append(element('h3', title + ' (' + numbers.length + ')'));
            for (const other of numbers.slice(0, most)) {
              const resident = town.residents[other];
              const button = element('button', resident.name, resident.faults.length ? 'unwell' : '');
              button.addEventListener('click', () => choose(other, true));
              panel.append(button);
            }
            if (numbers.length > most) panel.append(element('span', 'and ' + (numbers.length - most) + ' more', 'soft'));
            if (!numbers.length) panel.append(element('span', 'nobody', 'soft'));
          };
          const describe = (which, seen) => {
            const resident = town.residents[which];
            panel.replaceChildren(element('h2', resident.name));
            panel.append(element('p', resident.state + (resident.reason ? ': ' + resident.reason : ''), 'soft'));
            if (resident.host) panel.append(element('p', 'On host ' + resident.host + (resident.hostAddress ? ', reached at ' + resident.hostAddress : '')));
            for (const fault of resident.faults) {
              panel.append(element('p', fault.cause + ': ' + fault.text, 'fault'));
              if (fault.cure) panel.append(element('code', fault.cure));
            }
            for (const door of resident.doors.filter(isNetwork)) {
              panel.append(element('h3', 'On ' + town.streets[door.street].name));
              panel.append(element('code', door.addresses.join(', ') || 'no address'));
              if (door.names.length) panel.append(element('p', door.names.join(', ')));
            }
            if (resident.links.length) {
              panel.append(element('h3', 'Links'));
              for (const link of resident.links) {
                panel.append(element('p', link.name + ' → ' + (link.target == null ? 'nobody yet' : town.residents[link.target].name)));
              }
            }
            // Its own host answers it.
            if (!resident.host) list(resident.asks ? 'Can resolve' : 'Cannot ask now; can resolve', seen);
            list('Can be resolved by', others(which, other => resolves(other, which)));
          };
          const show = which => {
            svg.classList.toggle('choosing', which != null);
            if (which == null) {
              for (const house of houses) house.classList.remove('own', 'seen');
              panel.replaceChildren(...hint);
              return;
            }
            const seen = others(which, other => resolves(which, other));
            const set = new Set(seen);
            for (const house of houses) {
              house.classList.toggle('own', number(house) === which);
              house.classList.toggle('seen', set.has(number(house)));
            }
            describe(which, seen);
          };
          const choose = (which, isFar) => {
            chosen = which;
            show(which);
            if (isFar && which != null) {
              const house = houses.find(house => number(house) === which);
              if (house) { stepTo(house); house.scrollIntoView({ block: 'center', inline: 'nearest' }); }
            }
          };
          const stepTo = house => {
            if (current) current.setAttribute('tabindex', '-1');
            current = house;
            house.setAttribute('tabindex', '0');
          };
          const neighbour = (key, from) => {
            const middle = house => { const box = house.getBoundingClientRect(); return [box.left + box.width / 2, box.top + box.height / 2]; };
            const [x, y] = middle(from);
            let best = null;
            let least = Infinity;
            for (const house of houses) {
              const [left, top] = middle(house);
              const [along, across] = key === 'ArrowRight' ? [left - x, top - y] : key === 'ArrowLeft' ? [x - left, top - y]
                : key === 'ArrowDown' ? [top - y, left - x] : [y - top, left - x];
              const distance = along + 3 * Math.abs(across);
              if (along > 1 && distance < least) { best = house; least = distance; }
            }
            return best;
          };

          svg.addEventListener('pointerover', event => {
            const house = event.target.closest('.house');
            show(house ? number(house) : chosen);
          });
          svg.addEventListener('pointerleave', () => show(chosen));
          svg.addEventListener('click', event => {
            const house = event.target.closest('.house');
            if (house) stepTo(house);
            choose(house ? number(house) : null, false);
          });
          svg.addEventListener('focusin', event => {
            const house = event.target.closest('.house');
            if (house) { stepTo(house); show(number(house)); }
          });
          svg.addEventListener('focusout', () => show(chosen));
          document.addEventListener('keydown', event => {
            if (event.key === 'Escape') { find.value = ''; search(); choose(null, false); return; }
            if (event.target === find) return;
            if (event.key === '/') { event.preventDefault(); find.focus(); return; }
            if (!current || event.ctrlKey || event.altKey || event.metaKey) return;
            if (event.target.closest && event.target.closest('aside, .findings')) return;
            const isOnHouse = document.activeElement === current;
            if (event.key.startsWith('Arrow')) {
              const next = isOnHouse ? neighbour(event.key, current) : current;
              if (next) { event.preventDefault(); next.focus(); }
            } else if ((event.key === 'Enter' || event.key === ' ') && isOnHouse) {
              event.preventDefault();
              choose(number(current), false);
            }
          });
          const search = () => {
            const text = find.value.trim().toLowerCase();
            svg.classList.toggle('finding', text !== '');
            let first = null;
            for (const house of houses) {
              const isFound = text !== '' && house.getAttribute('aria-label').toLowerCase().includes(text);
              house.classList.toggle('found', isFound);
              if (isFound && !first) first = house;
            }
            if (first) { stepTo(first); first.scrollIntoView({ block: 'nearest' }); }
          };
          find.addEventListener('input', search);
          find.addEventListener('keydown', event => { if (event.key === 'Enter' && current) current.focus(); });
          for (const item of document.querySelectorAll('.findings li[data-resident]')) {
            item.addEventListener('click', () => choose(number(item), true));
          }
        })();

        """#
}
