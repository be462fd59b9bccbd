// The version of the product, as `--version`, `status` and introspection say it.

package enum Version {
    /// Semantic version of intercomd and of its control interface.
    package static let number = "0.1.0"
    package static let text = "intercom \(number)"
}
