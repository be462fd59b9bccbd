// Groups of replicas, and how often each was first.

import Foundation

/// Containers that serve a name together, in groups of several sizes.
enum ReplicaTown {
    static let sizes = [2, 3, 4, 8, 16, 32, 100]

    /// The name of a group.
    static func name(_ count: Int) -> String { "all-\(count)" }

    /// A name of a group that is so long that sixteen addresses do not fit into 512 octets: TCP after UDP.
    static func longName(_ count: Int) -> String {
        let label = String(repeating: "x", count: 62)
        return "\(count).\(label).\(label).\(label).test"
    }

    /// The configuration with all groups. Replica I of N is 10.0.N.I and fd00::N:I, the latter in decimal digits.
    static func configuration(_ sizes: [Int] = sizes) -> String {
        var text = House.undiscovered + "[[network]]\nname = \"n\"\n"
        for count in sizes {
            for number in 1...count {
                text += """
                    [[container]]
                    name = "r\(count)-\(number)"
                    networks = [{ name = "n", ip = ["10.0.\(count).\(number)", "fd00::\(count):\(number)"], \
                    alias = ["\(name(count))", "\(longName(count))"] }]
                    ports = ["80=http"]

                    """
            }
        }
        return text
    }
}

/// Number of times that each replica of a group was first, by family, as a program saw it.
struct Firsts: CustomStringConvertible {
    let count: Int
    /// Of A and of AAAA, a number for each replica.
    private(set) var four: [Int]
    private(set) var six: [Int]
    /// Lookups whose first addresses of both families were of one replica.
    private(set) var together = 0
    private(set) var lookups = 0

    /// Reads the lines of a program: an address of each family, "-" for none.
    init(of count: Int, _ lines: [String]) {
        self.count = count
        four = Array(repeating: 0, count: count)
        six = four
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count == 2 else { continue }
            lookups += 1
            let first = words[0].split(separator: ".").last.flatMap { Int($0) }
            let second = words[1].split(separator: ":").last.flatMap { Int($0) }
            if let first, 1...count ~= first { four[first - 1] += 1 }
            if let second, 1...count ~= second { six[second - 1] += 1 }
            if let first, first == second { together += 1 }
        }
    }

    /// Lookups of a test for each replica.
    static let each = 64

    private func isEven(_ counts: [Int]) -> Bool { counts.allSatisfy { Self.each / 2...Self.each * 3 / 2 ~= $0 } }

    /// True when each replica of the families asked for was first within ±50 % of its share.
    /// - Parameter families: `4`, `6` or `46`.
    func areEven(_ families: String) -> Bool {
        lookups == Self.each * count && (!families.contains("4") || isEven(four))
            && (!families.contains("6") || isEven(six))
    }

    /// True when the A and AAAA records of one lookup begin neither always with one replica nor always with two.
    var areNotTied: Bool { together > 0 && together < lookups * 3 / 4 }

    var description: String { "\(lookups) lookups, A \(four), AAAA \(six), together \(together)" }
}
