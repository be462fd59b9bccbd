// Patterns of names, glob(7).

internal import CLinux

/// Patterns as the shell has them.
package enum Glob {
    /// True when a name or a path matches a pattern: `*` and `?` stand for neither a slash nor a dot at the beginning
    /// of a name (fnmatch(3)).
    package static func matches(_ name: String, _ pattern: String) -> Bool {
        // Both are NUL-terminated strings while the call runs.
        unsafe fnmatch(pattern, name, FNM_PATHNAME | FNM_PERIOD) == 0
    }

    /// True when a pattern can match more than one name.
    package static func isPattern(_ text: some StringProtocol) -> Bool { text.contains { "*?[\\".contains($0) } }
}
