// libcurl as safe Swift types: POSTs over HTTP/2, and the one place where the process waits.

internal import CCurl
package import LinuxNet

/// Address of a request, and the files by which both ends prove who they are.
package struct CurlRequest: Sendable {
    /// `https://…`, or `http://…` for HTTP/2 without TLS.
    package var url: String
    /// Files of PEM; empty: none.
    package var authorityFile = "", certificateFile = "", keyFile = ""
    /// Milliseconds for all of it; 0: it goes on for ever.
    package var timeout = 0
    /// True: more is sent later.
    package var isStream = false

    /// A request to an address.
    package init(url: String) { self.url = url }
}

/// The end of a transfer.
package struct CurlEnd: Sendable {
    /// Number of the transfer.
    package var number: UInt64
    /// The trailer `grpc-status`; nil: there was no reply.
    package var status: Int?
    /// The trailer `grpc-message` as it came, or why there was no reply.
    package var message: String
}

/// Transfers, and descriptors that are waited for beside them. One thread uses it.
@safe package final class CurlLoop {
    /// A descriptor that is waited for.
    package struct Watched {
        /// The number of the descriptor.
        package var descriptor: Int32
        /// True: room to write is waited for, too.
        package var wantsRoom: Bool
        /// True after ``CurlLoop/wait(_:milliseconds:)`` where it has something.
        package var isReady = false

        /// A descriptor; it is open while it is waited for.
        package init(_ descriptor: borrowing Descriptor, wantsRoom: Bool = false) {
            self.descriptor = descriptor.rawValue
            self.wantsRoom = wantsRoom
        }
    }

    /// Owned by this object alone, and freed in its deinit.
    private let loop: OpaquePointer

    /// A loop without transfers; nil where there is no memory.
    package init?() {
        guard let loop = unsafe ccurl_new() else { return nil }
        unsafe self.loop = unsafe loop
    }

    deinit { unsafe ccurl_free(loop) }

    /// Begins a transfer.
    /// - Returns: false where it cannot begin.
    package func start(_ number: UInt64, _ request: CurlRequest, body: [UInt8]) -> Bool {
        // libcurl copies the strings while the call runs, and the shim the body.
        unsafe request.url.withCString { url in
            unsafe request.authorityFile.withCString { authority in
                unsafe request.certificateFile.withCString { certificate in
                    unsafe request.keyFile.withCString { key in
                        var settings = unsafe ccurl_request(
                            url: url, authority_file: request.authorityFile.isEmpty ? nil : authority,
                            certificate_file: request.certificateFile.isEmpty ? nil : certificate,
                            key_file: request.keyFile.isEmpty ? nil : key, timeout: request.timeout,
                            is_stream: request.isStream ? 1 : 0)
                        return unsafe ccurl_start(loop, number, &settings, body, body.count) == 0
                    }
                }
            }
        }
    }

    /// Sends more of a stream.
    package func send(_ number: UInt64, _ body: [UInt8]) { _ = unsafe ccurl_send(loop, number, body, body.count) }

    /// Ends a transfer; there is no ``CurlEnd`` of it.
    package func stop(_ number: UInt64) { unsafe ccurl_stop(loop, number) }

    /// Closes connections that no transfer uses.
    package func closeIdle() { unsafe ccurl_close_idle(loop) }

    /// Waits until something has come.
    /// - Parameters:
    ///   - watched: descriptors, at most 8; afterwards it says which have something.
    ///   - milliseconds: the most time.
    /// - Returns: false where libcurl cannot go on.
    package func wait(_ watched: inout [Watched], milliseconds: Int) -> Bool {
        var records = watched.map { entry in
            pollfd(fd: entry.descriptor, events: Int16(POLLIN | (entry.wantsRoom ? POLLOUT : 0)), revents: 0)
        }
        // The shim reads and fills as many records as it is told of, while the call runs.
        guard unsafe ccurl_wait(loop, &records, UInt32(records.count), Int32(clamping: milliseconds)) == 0 else {
            return false
        }
        for index in watched.indices { watched[index].isReady = records[index].revents != 0 }
        return true
    }

    /// The octets that have come for one transfer; nil: none have.
    package func received() -> (number: UInt64, octets: [UInt8])? {
        var start: UnsafePointer<UInt8>?
        var count = 0
        let number = unsafe ccurl_received(loop, &start, &count)
        guard number != 0 else { return nil }
        // Valid until the next call of the shim, and copied before it.
        return unsafe (number, Array(UnsafeBufferPointer(start: start, count: count)))
    }

    /// The next transfer that has ended; nil: none has.
    package func ended() -> CurlEnd? {
        var end = ccurl_end()
        guard unsafe ccurl_ended(loop, &end) != 0 else { return nil }
        // A NUL-terminated array of the record.
        let text = unsafe withUnsafeBytes(of: &end.message) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return CurlEnd(number: end.number, status: end.status < 0 ? nil : end.status, message: text)
    }

    /// This end of the last connection, as text; empty: there was none.
    package var localAddress: String {
        // A NUL-terminated string that the shim keeps.
        unsafe String(cString: ccurl_local_address(loop))
    }
}
