// Style sheet of a map: light, and dark where the reader prefers that.

/// The style sheet of ``MapPage``.
enum MapStyle {
    /// Hash of ``text`` (https://www.w3.org/TR/CSP3/ §2.3.1); a test compares the two.
    static let hash = "sha256-ULtw3oN6459NtytL2fy/ruNkgPo9wzzU0BgfLAbDMfw="

    /// CSS.
    static let text = #"""

        :root {
          --paper: #f6f4ef; --ink: #22262b; --soft: #626a73; --card: #ffffff; --edge: #d5d1c6;
          --road: #8b9097; --line: #f3efe2; --sign: #1f5fa8; --sign-ink: #ffffff;
          --wall: #fffdf8; --roof: #4f7d74; --idle: #9aa0a6; --drain: #b97f1c;
          --bad: #c62828; --bad-wall: #fdecea; --own: #f2b705; --seen: #2f80d0;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #15181c; --ink: #e7e9ec; --soft: #9ba3ac; --card: #1e2328; --edge: #343b43;
            --road: #4a525b; --line: #a9a48f; --sign: #2c6fbd; --sign-ink: #ffffff;
            --wall: #262c33; --roof: #4f8f83; --idle: #68707a; --drain: #c08a2c;
            --bad: #ef5350; --bad-wall: #41221f; --own: #f5c542; --seen: #64b0f5;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0; padding: 16px 20px 40px; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
        header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 18px; margin: 0 0 12px; }
        h1 { font-size: 22px; margin: 0; overflow-wrap: anywhere; }
        header p { margin: 0; color: var(--soft); }
        header label { margin-left: auto; color: var(--soft); }
        input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--edge); border-radius: 6px; padding: 4px 8px; }
        .findings { border: 1px solid var(--bad); background: var(--bad-wall); border-radius: 8px; padding: 8px 14px; margin: 0 0 14px; }
        .findings summary { color: var(--bad); font-weight: 600; cursor: pointer; }
        .findings ul { margin: 6px 0 2px; padding-left: 18px; max-height: 40vh; overflow: auto; }
        .findings li { margin: 4px 0; overflow-wrap: anywhere; }
        .findings li[data-resident] { cursor: pointer; }
        .fault { color: var(--bad); }
        code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
        .page { display: flex; align-items: flex-start; gap: 20px; }
        main { flex: 0 1 auto; overflow-x: auto; border-radius: 8px; }
        svg { display: block; }
        aside { flex: 1 0 260px; max-width: 420px; position: sticky; top: 12px; max-height: calc(100vh - 24px); overflow: auto;
          background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: 6px 16px 12px; overflow-wrap: anywhere; }
        aside h2 { font-size: 17px; margin: 8px 0 2px; }
        aside h3 { font-size: 13px; margin: 14px 0 4px; color: var(--soft); font-weight: 600; }
        aside p { margin: 4px 0; }
        aside button { font: 13px/1.3 inherit; font-family: inherit; color: inherit; background: var(--paper); border: 1px solid var(--edge);
          border-radius: 10px; padding: 2px 9px; margin: 2px 4px 2px 0; cursor: pointer; }
        aside button.unwell { border-color: var(--bad); color: var(--bad); }
        .soft { color: var(--soft); }
        @media (max-width: 1000px) {
          .page { flex-direction: column; }
          main { max-width: 100%; }
          aside { position: static; flex: none; width: 100%; max-width: none; }
        }
        text { fill: var(--ink); text-anchor: middle; }
        .road { fill: var(--road); }
        .line { stroke: var(--line); stroke-width: 2; stroke-dasharray: 12 10; fill: none; }
        .none .road { fill: none; stroke: var(--edge); stroke-dasharray: 4 4; }
        .none .line { display: none; }
        .sign rect { fill: var(--sign); }
        .none .sign rect { fill: var(--idle); }
        .street-name { fill: var(--sign-ink); font: 600 13px ui-monospace, monospace; }
        .remarks { fill: var(--soft); font-size: 12px; text-anchor: start; }
        .empty { font-size: 11px; fill: var(--sign-ink); }
        .house { cursor: pointer; outline: none; }
        .wall { fill: var(--wall); stroke: var(--roof); stroke-width: 1.5; }
        .roof { fill: var(--roof); }
        .more { fill: #fff; font-size: 10px; }
        .name { font-weight: 600; }
        .address { font-family: ui-monospace, monospace; fill: var(--soft); }
        .state { fill: var(--soft); }
        .ready .state { fill: var(--roof); }
        .size-11 { font-size: 11px; } .size-12 { font-size: 12px; } .size-13 { font-size: 13px; }
        .size-14 { font-size: 14px; } .size-16 { font-size: 16px; }
        .draining .roof { fill: var(--drain); } .draining .wall { stroke: var(--drain); } .draining .state { fill: var(--drain); }
        .starting .roof, .no-listener .roof, .ended .roof, .not-asked .roof, .unheard .roof { fill: var(--idle); }
        .starting .wall, .no-listener .wall, .ended .wall, .not-asked .wall, .unheard .wall { stroke: var(--idle); }
        .lost .roof { fill: var(--idle); } .lost .wall { stroke: var(--idle); }
        .ended .wall { stroke-dasharray: 5 4; } .ended .roof { opacity: .5; }
        .unwell .roof { fill: var(--bad); } .unwell .wall { fill: var(--bad-wall); stroke: var(--bad); } .unwell .state { fill: var(--bad); }
        .choosing .house { opacity: .28; }
        .choosing .house.own, .choosing .house.seen { opacity: 1; }
        .house.seen .wall { stroke: var(--seen); stroke-width: 3; }
        .house.own .wall, .house:focus-visible .wall { stroke: var(--own); stroke-width: 4; }
        .finding .house:not(.found) { opacity: .2; }

        """#
}
