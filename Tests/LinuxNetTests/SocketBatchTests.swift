// Sockets that are made for later.

import Foundation
import Testing

@testable import LinuxNet

@Suite("A batch of sockets")
struct SocketBatchTests {
    /// The inode of a socket: no other has it while it is open.
    private func identity(_ descriptor: Int32) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
    }

    private func open() -> Set<String> {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return Set(all.compactMap { Int32($0).flatMap(identity) })
    }

    @Test("gives each once, by its kind, and closes the rest")
    func kinds() throws {
        let datagram = SocketKind(isStream: false, isV6: false)
        let stream = SocketKind(isStream: true, isV6: true)
        var made: [String] = []
        do {
            var batch = SocketBatch()
            var other = SocketBatch()
            for kind in [datagram, stream, datagram] {
                let socket = try kind.makeSocket()
                made.append(try #require(identity(socket.rawValue)))
                batch.add(socket, kind)
            }
            let last = try stream.makeSocket()
            made.append(try #require(identity(last.rawValue)))
            other.add(last, stream)
            batch.add(other)
            let counts = [batch.count(of: datagram), batch.count(of: stream)]
            #expect(counts == [2, 2])
            if let socket = batch.take(stream) {
                let taken = identity(socket.rawValue)
                #expect(taken == made[1] || taken == made[3])
            } else {
                Issue.record("there are two")
            }
            let left = batch.count(of: stream)
            let none = batch.take(SocketKind(isStream: true, isV6: false)) == nil
            #expect(left == 1 && none)
            #expect(open().isSuperset(of: [made[0], made[2]]))
        }
        #expect(open().isDisjoint(with: made))
    }
}
