// Networks and containers of the configuration: declared at the start, and changed by a reload.

import Attachment
import ControlAPI
import LinuxNet
import Logging
import Registry

/// Declares what the configuration names. What cannot be had yet is said and waited for.
final class ConfiguredDeclarations {
    /// The file that says what is declared.
    var file: ConfigurationFile
    private let publisher: Publisher
    private let containers: Containers
    /// Files of names that the configuration lists.
    let hosts: HostsFiles
    private let logger: Logger
    /// Declarations of containers with a namespace, by name.
    private var numbers: [String: DeclarationNumber] = [:]
    /// Why a network or container of the configuration is not there, by what it is called in messages.
    private var shortfalls: [String: String] = [:]

    init(_ file: ConfigurationFile, publisher: Publisher, containers: Containers, hosts: HostsFiles, logger: Logger) {
        self.file = file
        self.publisher = publisher
        self.containers = containers
        self.hosts = hosts
        self.logger = logger
    }

    /// Sentences about what the configuration declares and is not there, in order.
    var warnings: [String] { shortfalls.map { "\($0.key): \($0.value)" }.sorted() + hosts.warnings }

    /// Goes from one configuration to another: what has gone is removed, then what is new or different is declared.
    func change(from old: Configuration, to new: Configuration) {
        let policies = ListDifference(from: old.policies, to: new.policies, by: \.name)
        let networks = ListDifference(from: old.networks, to: new.networks, by: \.name)
        let containers = ListDifference(from: old.containers, to: new.containers, by: \.name)
        // Before those whom they hold for, and removed after them: nobody is without a policy in between.
        for policy in policies.declared { set(policy) }
        publisher.registry.setPolicyOfAll(new.server.policy)
        defer { for policy in policies.removed { remove(policy) } }
        for container in containers.removed + containers.replaced { remove(container) }
        for network in networks.removed { remove(network) }
        for network in networks.declared { declare(network) }
        changeRecords(from: old.records, to: new.records)
        for container in new.containers
        where publisher.registry.declaredContainer(named: container.name) == nil && numbers[container.name] == nil {
            declare(container)
        }
    }

    /// Forgets that a container was declared: somebody has removed it by the control socket.
    func forget(_ name: String) { numbers[name] = nil }

    // MARK: - Networks

    private func remove(_ network: NetworkDefinition) {
        shortfalls[Self.subject(network)] = nil
        guard publisher.registry.declaredNetwork(named: network.name)?.source == .configuration else { return }
        do throws(RegistryError) {
            try publisher.registry.removeNetwork(named: network.name)
        } catch {
            logger.warning("network \(network.name) stays as it was: \(error)")
        }
    }

    private func declare(_ network: NetworkDefinition) {
        do throws(RegistryError) {
            switch publisher.registry.declaredNetwork(named: network.name)?.source {
            case nil: try publisher.registry.createNetwork(network)
            case .configuration?: try publisher.registry.updateNetwork(network)
            case .control?, .publisher?, .hostsFile?: throw .networkExists(network.name)
            }
            shortfalls[Self.subject(network)] = nil
        } catch {
            shortfalls[Self.subject(network)] = error.description
            logger.error("\(Self.subject(network)): \(error)", metadata: .about(network: network.name))
        }
    }

    // MARK: - Policies

    private func set(_ policy: PolicyDefinition) {
        do throws(RegistryError) {
            try publisher.registry.setPolicy(policy)
            shortfalls[Self.subject(policy)] = nil
        } catch {
            shortfalls[Self.subject(policy)] = error.description
            logger.error("\(Self.subject(policy)): \(error)", metadata: .about(policy: policy.name))
        }
    }

    /// Removes a policy that the configuration has no more. Containers that still name it are denied everything.
    private func remove(_ policy: PolicyDefinition) {
        shortfalls[Self.subject(policy)] = nil
        try? publisher.registry.removePolicy(named: policy.name, by: .configuration, evenIfUsed: true)
    }

    // MARK: - Records

    private func changeRecords(from old: [RecordDefinition], to new: [RecordDefinition]) {
        let (before, after) = (Set(old), Set(new))
        for record in old where !after.contains(record) {
            shortfalls[Self.subject(record)] = nil
            publisher.registry.removeRecord(record)
        }
        for record in new where !before.contains(record) {
            do throws(RegistryError) {
                _ = try publisher.registry.addRecord(record)
                shortfalls[Self.subject(record)] = nil
            } catch {
                shortfalls[Self.subject(record)] = error.description
                logger.error("\(Self.subject(record)): \(error)")
            }
        }
    }

    // MARK: - Containers

    private func remove(_ container: Configuration.Container) {
        shortfalls[Self.subject(container)] = nil
        if let number = numbers.removeValue(forKey: container.name) {
            containers.remove(number)
        } else if let present = publisher.registry.declaredContainer(named: container.name),
            present.declared?.source == .configuration
        {
            try? publisher.registry.removeContainer(present.id)
        }
    }

    /// Declares a container. One whose namespace is not there is waited for.
    private func declare(_ container: Configuration.Container) {
        guard let source = container.namespace else {
            do throws(ControlError) {
                if let file = container.resolverConfigurationPath { throw .withoutListener(resolverFile: file) }
                try publisher.change { registry throws(RegistryError) in
                    _ = try registry.addContainer(container.definition)
                }
                shortfalls[Self.subject(container)] = nil
            } catch {
                warn(container, error)
            }
            return
        }
        numbers[container.name] = containers.declare(
            container.definition, at: source, resolverFile: container.resolverConfigurationPath, isStanding: true
        ) { [unowned self] outcome in
            switch outcome {
            case .attached:
                if shortfalls.removeValue(forKey: Self.subject(container)) != nil {
                    logger.info(
                        "container \(container.name) attached: its namespace has appeared",
                        metadata: .about(container: container.name))
                }
            case .failed(let error, _): warn(container, error)
            case .ended: shortfalls[Self.subject(container)] = "\(source) is gone; it is waited for"
            }
        }
    }

    private func warn(_ container: Configuration.Container, _ error: ControlError) {
        let subject = Self.subject(container)
        guard shortfalls.updateValue(error.message, forKey: subject) != error.message else { return }
        logger.warning("\(subject): \(error.message)", metadata: .about(container: container.name, .notAttached))
    }

    // MARK: - Messages

    private static func subject(_ network: NetworkDefinition) -> String {
        "network \(network.name) of the configuration"
    }

    private static func subject(_ policy: PolicyDefinition) -> String {
        "policy \(policy.name) of the configuration"
    }

    private static func subject(_ record: RecordDefinition) -> String {
        "record \(record.name) \(record.type) \(record.text) of the configuration"
    }

    private static func subject(_ container: Configuration.Container) -> String {
        "container \(container.name) of the configuration"
    }
}
