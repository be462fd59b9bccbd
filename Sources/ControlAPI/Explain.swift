// Explaining: why a name does not resolve for a container, and whatever is not well on the machine.

/// Goes the way of a question step by step. What a container must not know is in the reply: it is for the operator.
package enum Explain: ControlMethod {
    package static let definition = """
        # Why a name does not resolve for a container, or how it does: the steps of its way; the first fault among them, else
        # the first remark (absent: there is none), with the command or change that mends it; and the answer that the
        # container would get. type: "A" if absent, where a port is given both "A" and "AAAA"; port: of the service behind the
        # name, to see whether it is open.
        method Explain(name: string, type: ?string, container: string, port: ?int) -> (
          steps: []Step,
          fault: bool,
          cause: ?string,
          text: ?string,
          cure: ?string,
          answer: ?Answer
        )
        """
    package static let types: [any ControlType.Type] = [
        Step.self, Resolve.Record.self, Resolve.ExtendedError.self, Resolve.Answer.self,
    ]

    package struct Parameters: Codable, Equatable, Sendable {
        /// A domain name in presentation form (RFC 1035 §5.1).
        package var name: String
        /// A record type, as `AAAA` or `TYPE65`; absent: `A`, and with a port `AAAA`, too.
        package var type: String?
        /// The container that asks.
        package var container: String
        /// A TCP port of the service behind the name, 1...65535; absent: the service is not looked at.
        package var port: Int?

        package init(name: String, type: String? = nil, container: String, port: Int? = nil) {
            self.name = name
            self.type = type
            self.container = container
            self.port = port
        }
    }

    package struct Reply: Codable, Equatable, Sendable {
        /// In the order of the way.
        package var steps: [Step]
        /// True when something has to be mended.
        package var fault: Bool
        /// Stable code of the first fault, else of the first remark; absent: everything is in order.
        package var cause: String?
        /// Its sentence.
        package var text: String?
        /// Command or change that mends it; absent: nothing has to be done, or only the operator can tell.
        package var cure: String?
        /// The answer that the container would get; absent: it cannot be asked for.
        package var answer: Resolve.Answer?

        package init(
            steps: [Step], fault: Bool, cause: String? = nil, text: String? = nil, cure: String? = nil,
            answer: Resolve.Answer? = nil
        ) {
            self.steps = steps
            self.fault = fault
            self.cause = cause
            self.text = text
            self.cure = cure
            self.answer = answer
        }
    }

    /// One station on the way of a question.
    package struct Step: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # One step: "container", "links", "listener", "heard", "programs", "name", "policy", "upstreams", "answer" or
            # "port"; state: "ok", "remark" or "fault", which have a cause.
            type Step (step: string, state: string, text: string, cause: ?string, cure: ?string)
            """

        /// Name of the step.
        package var step: String
        /// `ok`, `remark` or `fault`.
        package var state: String
        /// Sentence about it.
        package var text: String
        /// Stable code of its finding.
        package var cause: String?
        /// Remedy of its finding.
        package var cure: String?

        package init(step: String, state: String, text: String, cause: String? = nil, cure: String? = nil) {
            self.step = step
            self.state = state
            self.text = text
            self.cause = cause
            self.cure = cure
        }
    }
}

/// Looks for whatever is not well, without a question about a name.
package enum Doctor: ControlMethod {
    package static let definition = """
        # Whatever is not well: of the machine, networks, upstreams, and containers (of those named, if any are).
        # further: findings that are left out.
        method Doctor(containers: ?[]string) -> (findings: []Finding, further: int, containerCount: int)
        """
    package static let types: [any ControlType.Type] = [Finding.self]

    package struct Parameters: Codable, Equatable, Sendable {
        /// Containers to look at; absent: all, and the machine.
        package var containers: [String]?

        package init(containers: [String]? = nil) {
            self.containers = containers
        }
    }

    package struct Reply: Codable, Equatable, Sendable {
        /// The machine's own first.
        package var findings: [Finding]
        /// Number of findings that are left out.
        package var further: Int
        /// Number of containers that were looked at.
        package var containerCount: Int

        package init(findings: [Finding], further: Int, containerCount: Int) {
            self.findings = findings
            self.further = further
            self.containerCount = containerCount
        }
    }

    /// Something that is not well.
    package struct Finding: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # Something that is not well: a stable code, its sentence, and the command or change that mends it.
            type Finding (cause: string, container: ?string, text: string, cure: ?string)
            """

        /// Stable code.
        package var cause: String
        /// The container that it is about; absent: the machine.
        package var container: String?
        /// Its sentence.
        package var text: String
        /// Remedy.
        package var cure: String?

        package init(cause: String, container: String? = nil, text: String, cure: String? = nil) {
            self.cause = cause
            self.container = container
            self.text = text
            self.cure = cure
        }
    }
}
