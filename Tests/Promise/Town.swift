// The town that the promise is tested in: its files, for the test of the responder and for the one in real namespaces.

import DNSWire
import Foundation

/// The files beside this one.
package enum Town {
    /// `town.toml`, an intercom.toml.
    package static let configuration = text(of: "town.toml")
    /// The resolv.conf of the town's host: it names the server `world`.
    package static let hostResolver = text(of: "resolv.conf")
    /// `answers`: who is answered what.
    package static let table = PromiseTable(text(of: "answers"))

    private static func text(of file: String) -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return (try? String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)) ?? ""
    }
}

/// Something that no configuration says, done before anybody asks: a line of the table that begins with `!`.
package enum Deed: Sendable, Equatable {
    /// `server NAME ADDRESS`: what the table calls an upstream.
    case server(name: String, address: String)
    /// `bridge NAME ADDRESS/LENGTH`: the host gets a bridge, which is a network.
    case bridge(name: String, address: String)
    /// `plug NAME BRIDGE ADDRESS/LENGTH`: a namespace that nobody declares gets a link to the bridge.
    case plug(name: String, bridge: String, address: String)
    /// `drain NAME`, as `intercomctl container drain`.
    case drain(String)

    init?(_ words: [String]) {
        switch (words.first, words.count) {
        case ("server", 3): self = .server(name: words[1], address: words[2])
        case ("bridge", 3): self = .bridge(name: words[1], address: words[2])
        case ("plug", 4): self = .plug(name: words[1], bridge: words[2], address: words[3])
        case ("drain", 2): self = .drain(words[1])
        default: return nil
        }
    }
}
