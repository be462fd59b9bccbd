// From the state that a hook reads to the container that it publishes.

extension OCIState {
    /// Annotations that hold a name for people, in the order in which they are looked for: nerdctl, cri-o and
    /// containerd's CRI plugin.
    private static let nameAnnotations = [
        "nerdctl/name", "io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-name",
    ]
    /// Annotation with a host name that the configuration lacks: nerdctl.
    private static let hostnameAnnotation = "nerdctl/hostname"

    /// The container that this state describes; nil without a process, and in the host's network namespace.
    /// - Parameters:
    ///   - configuration: `config.json` of its bundle; nil where that cannot be read.
    ///   - record: the name that the engine has on record, which no annotation holds: podman's.
    package func container(configuration: OCIConfiguration?, record: String?) -> RuntimeContainer? {
        guard let pid, configuration?.namespace != .host else { return nil }
        let hostname = (annotations[Self.hostnameAnnotation] ?? configuration?.hostname).flatMap(RuntimeName.whole)
        let names = Self.nameAnnotations.map { annotations[$0] } + [record, isNamedByPerson ? id : nil]
        var container = RuntimeContainer(
            name: names.lazy.compactMap { $0.flatMap(RuntimeName.whole) }.first ?? "", id: id)
        if container.name.isEmpty { container.name = hostname ?? RuntimeName.short(id) }
        container.hostname = hostname == RuntimeName.short(id) ? nil : hostname
        container.pid = pid
        return container
    }

    /// True when somebody chose the id, as for `runc run web`: engines make up 64 hexadecimal digits.
    private var isNamedByPerson: Bool { !RuntimeName.isGenerated(id) }

    /// Directory of podman's and buildah's records, where the bundle is one of theirs: the parent of the container's own.
    ///
    /// A bundle is `…/overlay-containers/ID/userdata`; `containers.json` beside the containers holds their names.
    package var recordDirectory: String? {
        let suffix = "/\(id)/userdata"
        guard !id.isEmpty, bundle.hasSuffix(suffix) else { return nil }
        return String(bundle.dropLast(suffix.count))
    }
}
