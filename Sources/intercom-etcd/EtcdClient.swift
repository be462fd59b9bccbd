// Calls of etcd one after another, for verbs that end when they are done.

import Clustering
import Curl
import EtcdWire

/// A client that asks each member until one replies.
struct EtcdClient {
    private let transport: EtcdTransport
    private let configuration: EtcdConfiguration

    init(_ configuration: EtcdConfiguration) throws {
        guard let loop = CurlLoop() else { throw BridgeFailure(description: "libcurl cannot begin: no memory") }
        self.configuration = configuration
        transport = EtcdTransport(configuration, loop: loop)
    }

    /// Has etcd do a call.
    /// - Throws: ``EtcdFailure``: the status that etcd replied with, or the last reason why no member replied.
    func perform(_ call: EtcdCall) throws(EtcdFailure) -> EtcdReply {
        var last = EtcdFailure.unreachable("no member of etcd is configured")
        for number in 1...UInt64(max(1, configuration.endpoints.count)) {
            transport.call(number, call)
            var none: [CurlLoop.Watched] = []
            waiting: while transport.loop.wait(&none, milliseconds: 1000) {
                for event in transport.events() {
                    switch event {
                    case .reply(number, let reply): return reply
                    case .failed(number, let failure):
                        if case .status = failure { throw failure }
                        last = failure
                        break waiting
                    default: break
                    }
                }
            }
            transport.disconnect()
        }
        throw last
    }

    /// Ends a lease with its keys; one that has ended is done.
    func revoke(_ lease: Int64) throws {
        do throws(EtcdFailure) {
            _ = try perform(.revokeLease(lease))
        } catch {
            if case .status(let status) = error, status.code == .notFound { return }
            throw BridgeFailure(description: error.explanation(for: configuration.settings.host))
        }
    }

    /// Calls `body` with each key of a range and its value, in their order, as of one revision.
    func forEachPair(_ keys: KeyRange, _ body: ([UInt8], [UInt8]) -> Void) throws {
        var request = RangeRequest(keys: keys, limit: Bridge.pageSize)
        while true {
            let reply: EtcdReply
            do throws(EtcdFailure) {
                reply = try perform(.range(request))
            } catch {
                throw BridgeFailure(description: error.explanation(for: configuration.settings.host))
            }
            guard case .range(let page) = reply else { return }
            for pair in page.pairs { body(pair.key, pair.value) }
            guard page.more, let last = page.pairs.last else { return }
            request.keys = keys.after(last.key)
            if request.revision == 0 { request.revision = page.header.revision }
        }
    }
}
