// Calls and the watch of one member of etcd at a time, over gRPC.

import Clustering
import Curl
import EtcdWire

/// Speaks gRPC to the members of etcd, one after another where one fails.
final class EtcdTransport {
    /// The most octets of a message: a page of 1,000 values of 64 KiB.
    private static let longestMessage = 80 << 20
    /// Most time of a call, milliseconds; the bridge waits as long.
    private static let callTimeout = 5000

    let loop: CurlLoop
    private let configuration: EtcdConfiguration
    private var member: Int
    private var lastNumber: UInt64 = 0
    private var calls: [UInt64: (number: UInt64, call: EtcdCall, framer: GRPCFramer)] = [:]
    private var watch: (number: UInt64, framer: GRPCFramer)?

    init(_ configuration: EtcdConfiguration, loop: CurlLoop) {
        self.configuration = configuration
        self.loop = loop
        member = Int.random(in: configuration.endpoints.indices)
    }

    /// The member that is spoken to.
    var endpoint: String { configuration.endpoints[member % configuration.endpoints.count] }

    private func request(_ path: String) -> CurlRequest {
        var request = CurlRequest(url: endpoint + path)
        request.authorityFile = configuration.authority
        request.certificateFile = configuration.certificate
        request.keyFile = configuration.key
        return request
    }

    /// Begins a call.
    func call(_ number: UInt64, _ call: EtcdCall) {
        lastNumber += 1
        calls[lastNumber] = (number, call, GRPCFramer(limit: Self.longestMessage))
        var request = request(call.path)
        request.timeout = Self.callTimeout
        _ = loop.start(lastNumber, request, body: GRPCFrame.octets(of: call.message))
    }

    /// Begins the watch, in place of one that there is.
    func watch(_ keys: KeyRange, from revision: Int64) {
        endWatch()
        lastNumber += 1
        watch = (lastNumber, GRPCFramer(limit: Self.longestMessage))
        var request = request(WatchRequest.path)
        request.isStream = true
        let create = WatchRequest.create(keys: keys, from: revision)
        _ = loop.start(lastNumber, request, body: GRPCFrame.octets(of: create.message))
    }

    /// Asks the watch for a sign of life.
    func askProgress() {
        if let watch { loop.send(watch.number, GRPCFrame.octets(of: WatchRequest.progress.message)) }
    }

    /// Ends the watch.
    func endWatch() {
        if let watch { loop.stop(watch.number) }
        watch = nil
    }

    /// Ends everything, and turns to the next member.
    func disconnect() {
        endWatch()
        for number in calls.keys { loop.stop(number) }
        calls = [:]
        loop.closeIdle()
        member = (member + 1) % configuration.endpoints.count
    }

    /// The events since the last time.
    func events() -> [BridgeEvent] {
        var events: [BridgeEvent] = []
        while let (number, octets) = loop.received() {
            if watch?.number == number {
                watch?.framer.feed(octets)
                do throws(EtcdWireError) {
                    while let message = try watch?.framer.next() { events.append(.watch(try WatchReply(message))) }
                } catch {
                    endWatch()
                    events.append(.watchEnded(.unreachable("\(endpoint): \(error)")))
                }
            } else {
                calls[number]?.framer.feed(octets)
            }
        }
        while let end = loop.ended() {
            if !loop.localAddress.isEmpty { events.append(.localAddress(loop.localAddress)) }
            if watch?.number == end.number {
                watch = nil
                events.append(.watchEnded(failure(end)))
            } else if let call = calls.removeValue(forKey: end.number) {
                events.append(event(of: call.call, call.number, call.framer, end))
            }
        }
        return events
    }

    private func event(of call: EtcdCall, _ number: UInt64, _ framer: GRPCFramer, _ end: CurlEnd) -> BridgeEvent {
        var framer = framer
        guard end.status == 0 else { return .failed(number, failure(end)) }
        do throws(EtcdWireError) {
            guard let message = try framer.next() else { throw EtcdWireError.cutOff }
            return .reply(number, try call.reply(from: message))
        } catch {
            return .failed(number, .unreachable("\(endpoint): \(error)"))
        }
    }

    /// Parts of messages of libcurl 7.88 and OpenSSL 3.0, each with what it means and what to do.
    private var cures: [(part: String, cure: String)] {
        let rejected =
            "etcd does not accept this host's certificate \(configuration.certificate): has it expired, is it not valid yet, or is it of another authority?"
        let authority =
            configuration.authority.isEmpty ? "the system's store; set ca in [tls]" : configuration.authority
        return [
            (" alert ", rejected),
            // TLS 1.3 has etcd judge the certificate after the handshake: the connection is closed before the alert is read.
            ("getpeername() failed", rejected),
            ("certificate has expired", "etcd's certificate has expired, or this host's clock is wrong"),
            ("not yet valid", "etcd's certificate is not valid yet, or this host's clock is wrong"),
            (
                "subject name",
                "etcd's certificate is not for this name: issue one that has it (subjectAltName), or write a name that it has in endpoints"
            ),
            ("unable to get local issuer", "etcd's certificate is not of the authority in \(authority)"),
            ("could not load", "the files of [tls] cannot be used"),
            ("error setting certificate", "the file ca of [tls] cannot be used"),
        ]
    }

    /// The message of libcurl or OpenSSL with what to do about it, where that is known.
    private func explain(_ message: String) -> String {
        let cure = cures.first { message.contains($0.part) }?.cure
        return cure.map { "\($0) (\(message))" } ?? message
    }

    private func failure(_ end: CurlEnd) -> EtcdFailure {
        guard let status = end.status else { return .unreachable("\(endpoint): \(explain(end.message))") }
        return status == 0
            ? .unreachable("\(endpoint) ended the watch") : .status(GRPCStatus(number: status, encoded: end.message))
    }
}
