// Messages over sockets of the host: calls of the control socket, replies to its client, requests to the opener.

import Attachment
import ControlAPI
import DNSWire
import Registry
import Varlink

@testable import IntercomServer

/// A stream of messages, cut in pieces as the first octet says.
func fuzzVarlink(_ octets: Span<UInt8>) {
    guard octets.count > 0 else { return }
    let piece = max(1, Int(octets[0]))
    let stream = Array(octets.extracting(droppingFirst: 1))
    var framer = VarlinkFramer()
    var messages: [[UInt8]] = []
    for start in Swift.stride(from: 0, to: stream.count, by: piece) {
        let part = Array(stream[start..<min(start + piece, stream.count)])
        guard (try? framer.feed(part, part.count)) != nil else { return }
        while let message = framer.next() { messages.append(message) }
    }
    let whole = stream.split(separator: 0, omittingEmptySubsequences: false).dropLast().map(Array.init)
    expect(messages == whole, "the stream was cut into \(messages)")
    for message in messages {
        if let call = try? VarlinkCall(message: message) { takeCall(call, message) }
        if let response = try? VarlinkResponse(message: message) { takeResponse(response) }
    }
}

private let likelyCalls = VarlinkParameterTypes([
    AddContainer.name: AddContainer.Parameters.self, Apply.name: Apply.Parameters.self,
])

private func takeCall(_ call: VarlinkCall, _ message: [UInt8]) {
    let same = try? VarlinkCall(message: message, reading: likelyCalls)
    expect(
        same?.method == call.method
            && (try? same?.parameters(AddContainer.Parameters.self))
                == (try? call.parameters(AddContainer.Parameters.self))
            && (try? same?.parameters(Apply.Parameters.self)) == (try? call.parameters(Apply.Parameters.self)),
        "parameters are another's where their type is known before")
    for purpose in [ControlSocket.Purpose.control, .cluster] {
        if let answer = MethodTable.interface(of: purpose).service.answer(call) {
            expect(answer.last == 0 && answer.count { $0 == 0 } == 1, "an answer is one message")
        }
    }
    if let network = try? call.parameters(CreateNetwork.Parameters.self) {
        _ = try? NetworkDefinition(network, beside: .root)
    }
    if let container = try? call.parameters(AddContainer.Parameters.self) {
        _ = try? ContainerDefinition(container)
        _ = try? NamespaceSource.of(container)
    }
    if let connect = try? call.parameters(Connect.Parameters.self) {
        _ = try? EndpointDefinition(
            network: connect.network, addresses: connect.addresses, aliases: connect.aliases)
    }
    _ = try? call.parameters(Resolve.Parameters.self)
    _ = try? call.parameters(FlushCache.Parameters.self)
    _ = try? call.parameters(ListCache.Parameters.self)
    _ = try? call.parameters(OpenerCalls.OpenNamespace.self)
    _ = try? call.parameters(OpenerCalls.OpenNamespaces.self)
    _ = try? call.parameters(OpenerCalls.WriteResolverFile.self)
    guard let declaration = try? Declaration(message: message) else { return }
    let again = try? Declaration(message: declaration.message)
    expect(again == declaration, "\(declaration) became \(String(describing: again))")
}

private func takeResponse(_ response: VarlinkResponse) {
    _ = try? response.parameters(Status.Reply.self)
    _ = try? response.parameters(ListContainers.Reply.self)
    _ = try? response.parameters(Resolve.Reply.self)
    _ = try? response.parameters(OpenerFailure.self)
}
