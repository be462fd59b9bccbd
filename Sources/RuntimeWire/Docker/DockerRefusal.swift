// Docker's words for a request that it refuses.

/// The body of a reply that is no success: `{"message":"client version 9.99 is too new"}`.
package enum DockerRefusal {
    private struct Body: Decodable {
        var message: String
    }

    /// The reason for people; of what is no such JSON its beginning.
    /// - Parameters:
    ///   - octets: the body.
    ///   - limit: the most characters.
    package static func text(_ octets: [UInt8], atMost limit: Int) -> String {
        if let body = try? RuntimeWireError.read(Body.self, from: octets, "a refusal") {
            return String(body.message.prefix(limit))
        }
        return String(String(decoding: octets.prefix(limit * 4), as: UTF8.self).prefix(limit))
    }
}
