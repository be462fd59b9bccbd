// Containers in the registry that are known by their namespaces alone: none of their links is observed.

import Attachment
package import Registry

extension Registry {
    /// Makes a container known, or has it called otherwise, as it was found at a path; of its links nothing is known.
    ///
    /// A declaration of the same namespace stays in force: should it be removed, the container is called by its path.
    /// - Parameters:
    ///   - cookie: that of its namespace.
    ///   - path: where it was found.
    ///   - name: its name; nil: the path's last component.
    /// - Returns: its number.
    @discardableResult
    package mutating func observe(
        namespace cookie: NamespaceCookie, at path: String, called name: String? = nil
    ) -> ContainerID {
        observe(ObservedContainer(cookie: cookie, name: name ?? Attachments.name(of: path), path: path))
    }
}
