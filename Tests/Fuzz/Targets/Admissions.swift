// Messages between workers and the opener about gates, and the answers that wait for them.

@testable import IntercomServer

/// Octets as a message of either side, which reads back as it is written; and a history whose choices they are.
func fuzzAdmissions(_ octets: Span<UInt8>) {
    if let admission = Admission(octets) {
        expect(admission.octets == Array(octets), "an admission is written otherwise than it was read")
        expect(
            admission.cookie != 0 && (1...Admission.maximumAddresses).contains(admission.entries.count),
            "a bad admission")
    }
    if let reply = AdmissionReply(octets) {
        expect(AdmissionReply(reply.octets.span) == reply, "a reply is written otherwise than it was read")
    }
    var history = RandomAdmissions(FuzzerChoices(octets))
    while !history.choices.isEmpty { history.step() }
    history.finish()
}
