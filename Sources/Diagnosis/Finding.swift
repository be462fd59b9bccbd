// Findings: a cause, its sentence, and its cure.

/// Something that is not as it should be.
package struct Finding: Sendable, Equatable {
    /// The stable code.
    package var cause: Cause
    /// The container that it is about; nil: the machine.
    package var container: String?
    /// Sentence for people, without a full stop.
    package var text: String
    /// Command or change that mends it; nil: nothing has to be done, or only the operator can tell.
    package var cure: String?

    /// A finding with its sentence and its cure.
    package init(_ cause: Cause, _ text: String, cure: String? = nil, of container: String? = nil) {
        self.cause = cause
        self.text = text
        self.cure = cure
        self.container = container
    }
}

/// Station on the way of a question.
package struct Step: Sendable, Equatable {
    /// Stations, in the order of the way.
    package enum Kind: String, Sendable, CaseIterable {
        /// The container is known, and runs.
        case container
        /// Its links, and the networks that they put it on.
        case links
        /// The sockets inside its namespace.
        case listener
        /// A question from inside the namespace arrives there.
        case heard
        /// The resolv.conf that its programs read.
        case programs
        /// The rule that decides, and the containers that have the name.
        case name
        /// Permission of its networks to ask outside.
        case policy
        /// The servers outside.
        case upstreams
        /// The answer.
        case answer
        /// The service behind the name.
        case port
    }

    /// Result of a step.
    package enum State: String, Sendable {
        /// As it should be; not as somebody might expect; not as it should be.
        case ok, remark, fault
    }

    /// The station.
    package var kind: Kind
    /// Sentence about what is there, without a full stop.
    package var text: String
    /// Its fault; nil: the step is as it should be.
    package var finding: Finding?

    /// A step; the sentence of a finding takes the place of its text.
    /// - Parameters:
    ///   - kind: its station.
    ///   - text: its sentence, without a full stop.
    ///   - finding: its fault.
    ///   - note: an addition to whichever sentence it is, which passes: a time.
    package init(_ kind: Kind, _ text: String, _ finding: Finding? = nil, note: String? = nil) {
        self.kind = kind
        self.text = (finding?.text ?? text) + (note.map { "; \($0)" } ?? "")
        self.finding = finding
    }

    /// Fault or remark of the finding; `ok` without one.
    package var state: State { finding.map { $0.cause.isRemark ? .remark : .fault } ?? .ok }
}
