// Finding out whether a listener is heard: its namespace sends it a question with a token that a worker expects there.

import DNSWire
import Registry

/// Tokens of the proofs that are under way, each with the view at whose listener it is to arrive.
///
/// The control plane bounds their number (``HearingProofs``); nearly always there are none.
struct ExpectedTokens {
    private var views: [UInt128: ViewID] = [:]

    var isEmpty: Bool { views.isEmpty }

    mutating func expect(_ token: UInt128, at view: ViewID) { views[token] = view }

    mutating func forget(_ token: UInt128) { views[token] = nil }

    /// The token in a name that is expected at a view's listener; nil for any other name. Out of line: it is rare.
    @inline(never)
    func token(in name: borrowing FoldedName, at view: ViewID) -> UInt128? {
        guard let token = TokenName.hearing.token(in: name), views[token] == view else { return nil }
        return token
    }
}
