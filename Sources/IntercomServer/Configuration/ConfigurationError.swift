// Mistakes of a configuration file, all of them at once.

import TOML

/// Why a configuration file cannot be used: everything that was found, in the order of the file.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One mistake and its place.
    package struct Problem: Equatable, Sendable, CustomStringConvertible {
        /// The file's path as it was given.
        package var file: String
        /// Counted from 1; nil where the file as a whole is meant (it cannot be read).
        package var line: Int?
        /// Counted from 1, in characters; nil where `line` is.
        package var column: Int?
        /// Sentence about the mistake, and where it helps what would be right.
        package var message: String

        /// `file:line:column: message`.
        package var description: String {
            if let line, let column { "\(file):\(line):\(column): \(message)" } else { "\(file): \(message)" }
        }
    }

    /// At least one.
    package var problems: [Problem]

    /// One line a problem.
    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

/// A mistake at a place of the text, before the file's name is put in front.
struct Mistake: Error, Equatable, Sendable {
    var position: TextPosition
    var message: String
}
