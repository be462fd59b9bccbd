import Synchronization
import Testing

@testable import IntercomServer

@Suite("Requests that are carried out together")
struct GatheredRequestsTests {
    /// Carries out requests, each a number, by doubling it; and keeps how many came together.
    private final class Doubling: Sendable {
        let sizes = Mutex<[Int]>([])
        let results = Mutex<[Int: Int]>([:])

        func requests(atMost limit: Int) -> GatheredRequests<Int, Int> {
            GatheredRequests(atMost: limit) { numbers, _ in
                self.sizes.withLock { $0.append(numbers.count) }
                return numbers.map { 2 * $0 }
            }
        }

        func add(_ number: Int, to requests: GatheredRequests<Int, Int>) {
            requests.add(number) { made in self.results.withLock { $0[number] = made } }
        }
    }

    @Test("One that comes alone is carried out alone, at once")
    func alone() {
        let doubling = Doubling()
        let requests = doubling.requests(atMost: 16)
        for number in 1...3 {
            doubling.add(number, to: requests)
            requests.carryOutSome(by: LocalOpener())
        }
        #expect(doubling.sizes.withLock { $0 } == [1, 1, 1])
        #expect(doubling.results.withLock { $0 } == [1: 2, 2: 4, 3: 6])
    }

    @Test("Of many each thread takes a share that leaves the others something to do, and never more than the limit")
    func many() {
        let doubling = Doubling()
        let requests = doubling.requests(atMost: 16)
        let count = 20 * OpenerRequests.usualThreadLimit
        for number in 0..<count { doubling.add(number, to: requests) }
        // As many turns of threads as there were requests: later ones find nothing left.
        for _ in 0..<count { requests.carryOutSome(by: LocalOpener()) }
        let sizes = doubling.sizes.withLock { $0 }
        #expect(sizes.first == 16)
        #expect(sizes.allSatisfy { 1...16 ~= $0 })
        #expect(sizes.reduce(0, +) == count)
        #expect(sizes.count < count / 4)
        #expect(
            doubling.results.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, 2 * $0) }))
    }

    @Test("As many as there are threads are carried out one by one")
    func fewerThanThreads() {
        let doubling = Doubling()
        let requests = doubling.requests(atMost: 16)
        for number in 0..<OpenerRequests.usualThreadLimit { doubling.add(number, to: requests) }
        for _ in 0..<OpenerRequests.usualThreadLimit { requests.carryOutSome(by: LocalOpener()) }
        #expect(doubling.sizes.withLock { $0 } == Array(repeating: 1, count: OpenerRequests.usualThreadLimit))
    }
}
