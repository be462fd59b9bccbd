// The states of a container as users read them: a word, a reason and a cure for each.

import Attachment
import Testing

@Suite("A state")
struct StateTests {
    private static let states: [(State, word: String, reason: String?, cure: String?)] = [
        (.ready, "ready", nil, nil),
        (.draining, "draining", nil, nil),
        (.starting, "starting", "its namespace is being entered", nil),
        (.elsewhere, "no listener", "no namespace on this machine", nil),
        (.ended("its process has ended"), "ended", "its process has ended", nil),
        (.proving, "starting", "its first question is on its way", nil),
        (.untried(Failure(.openerAway, "no opener")), "starting", "no opener", "intercom-opener"),
        (
            .unheard(at("127.0.0.11:53", .answeredByAnother)), "unheard", "answered by another server",
            "--listen redirect"
        ),
        (
            .unheard(at("127.0.0.11:53", .loopbackDown)), "unheard", "loopback interface of its namespace is down",
            "lo up"
        ),
        (.unheard(at("10.0.0.1:53", .noRoute)), "unheard", "no route to 10.0.0.1:53", "add a route to 10.0.0.1:53"),
        (.unheard(at("127.0.0.11:53", .dropped)), "unheard", "firewall rule", "let UDP to 127.0.0.11:53 pass"),
        (.unheard(at("127.0.0.11:53", .refused)), "unheard", "nobody listens where", "leads 127.0.0.11:53 elsewhere"),
        (.unheard(at("127.0.0.11:53", .noReply)), "unheard", "get no reply", "let UDP to 127.0.0.11:53 pass"),
        (
            .unheard(Unheard(at: "10.0.0.1:53", .answeredByAnother, path: .mayBeLed)), "unheard",
            "its resolv.conf names 10.0.0.1:53, too: 10.0.0.1:53 is answered by another server", "--intercept"
        ),
        (
            .unheard(Unheard(at: "127.0.0.1:53", .refused, path: .own)), "unheard",
            "its resolv.conf names 127.0.0.1:53",
            "remove 127.0.0.1:53 from its resolv.conf"
        ),
        (.notAsked(OtherServers("10.0.0.1")), "not asked", "its resolv.conf names 10.0.0.1", "--intercept"),
        (
            .notAsked(OtherServers("10.0.0.1", areHosts: true)), "not asked",
            "the host's resolv.conf, which names 10.0.0.1",
            "--intercept"
        ),
        (.notAsked(OtherServers("127.0.0.53", mayBeLed: false)), "not asked", "127.0.0.53", "name 127.0.0.11"),
        (.noListener(Failure(.portTaken, "port 53 is taken")), "no listener", "port 53 is taken", "--listen redirect"),
        (.noListener(Failure(.openerAway, "no opener")), "no listener", "no opener", "intercom-opener"),
        (.noListener(Failure(.notThere, "no such file")), "no listener", "no such file", "namespace appears"),
        (.noListener(Failure(.forbidden, "the host's")), "no listener", "the host's", nil),
        (.noListener(Failure(.refused, "EMFILE")), "no listener", "EMFILE", nil),
    ]

    private static func at(_ address: String, _ cause: Unheard.Cause) -> Unheard { Unheard(at: address, cause) }

    @Test("has a word, and says why and what to do where something is wrong", arguments: states.indices)
    func texts(index: Int) {
        let (state, word, reason, cure) = Self.states[index]
        #expect(state.word == word)
        #expect((state.reason == nil) == (reason == nil) && (state.cure == nil) == (cure == nil))
        #expect(state.reason?.contains(reason ?? "") ?? true, "\(state.reason ?? "")")
        #expect(state.cure?.contains(cure ?? "") ?? true, "\(state.cure ?? "")")
    }
}
