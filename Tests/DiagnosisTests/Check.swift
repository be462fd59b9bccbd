// A small world for explanations: facts as the control plane would gather them.

import Attachment

@testable import Diagnosis

/// Facts about a question of `app`, which is on network `front`.
func facts(_ name: String = "web", _ change: (inout Facts) -> Void) -> Facts {
    var facts = Facts(
        Facts.Question(name, "A", from: "app"), asker: .present(.app, .ready),
        configurationPath: "/etc/intercom/intercom.toml")
    facts.outcome = .answered
    change(&facts)
    return facts
}

extension Member {
    static var app: Member {
        Member(
            "app", at: .path("/run/netns/app"), on: ["front"], links: [LinkFacts("eth0", into: "br0", network: "front")]
        )
    }

    /// A container at `/run/netns/NAME`.
    static func named(
        _ name: String, on networks: [String] = ["front"], left: [String] = [], _ links: LinkFacts...
    ) -> Member {
        Member(name, at: .path("/run/netns/\(name)"), on: networks, left: left, links: links)
    }
}

extension AnswerFacts {
    static var answered: AnswerFacts {
        AnswerFacts(.settled, source: "network front", code: "NOERROR", data: ["10.1.0.2"])
    }
    static var denied: AnswerFacts { AnswerFacts(.singleLabel, source: "no such name", code: "NXDOMAIN") }
    static var empty: AnswerFacts { AnswerFacts(.settled, source: "network front", code: "NOERROR") }

    static func forwarded(_ code: String, _ data: String...) -> AnswerFacts {
        AnswerFacts(.forwarded, source: "10.0.0.1:53", code: code, data: data)
    }
}
