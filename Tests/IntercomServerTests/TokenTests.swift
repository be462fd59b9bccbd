// The words that epoll carries for a worker: a kind and a ticket.

import Tables
import Testing

@testable import IntercomServer

@Suite("A token")
struct TokenTests {
    @Test("comes back from the word that the kernel carries, with its kind and its ticket")
    func words() throws {
        for slot: UInt32 in [0, 1, 0xFFFF_FFFF] {
            for generation: UInt32 in [0, 1, Ticket.maximumGeneration] {
                let ticket = Ticket(slot: slot, generation: generation)
                let token = try #require(Token(word: Token(.stream, ticket).word))
                #expect(token.kind == .stream && token.ticket == ticket)
            }
        }
        #expect(Token(word: .max) == nil, "no kind has this number")
    }
}
