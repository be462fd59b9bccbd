// The configuration in force: applied at the start, and as a difference on reload.

import Attachment
import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Registry

extension ControlPlane {
    /// Declares everything that the configuration names; what cannot be had yet is said and waited for.
    func applyConfiguration() {
        registry.setRoutes(configuration.routes)
        for network in configuration.networks { declareOrWarn(network) }
        for container in configuration.containers { declareOrWarn(container) }
        upstreamsChanged = true
    }

    /// Reads the configuration again and applies what is different. Declarations of the control socket stay.
    /// - Parameter done: is given a sentence for everything in the file that is not in force, when what it declares has been
    ///   tried once.
    /// - Throws: `InvalidConfiguration` with every error; the running configuration stays as it is then.
    func reload(done: @escaping ([String]) -> Void) throws(ControlError) {
        serviceReloads()
        defer { publish(then: serviceHasReloaded) }
        let old = configuration
        do throws(ConfigurationError) {
            configuration = try configurationFile.read()
        } catch {
            throw .invalidConfiguration(errors: error.problems.map(\.description))
        }
        hostResolver.read()
        forgetLoops()
        upstreamsChanged = true
        registry.setDefaults(domain: configuration.server.domain, ttl: configuration.server.ttl)
        registry.setRoutes(configuration.routes)
        workers.post(.settings(settings))
        containers.room.defaultPort = ListenerPort(configuration.server.listen)
        if configuration.discover != old.discover { discovery.restart(since: old.discover) }

        for container in old.containers where !configuration.containers.contains(container) {
            shortfalls[Self.subject(container)] = nil
            if let number = configured.removeValue(forKey: container.name) {
                containers.withdraw(number)
            } else if let present = registry.declaredContainer(named: container.name),
                present.declared?.source == .configuration
            {
                try? registry.removeContainer(present.id)
            }
        }
        for network in old.networks where !configuration.networks.contains(where: { $0.name == network.name }) {
            withdraw(network)
        }
        for network in configuration.networks where !old.networks.contains(network) { declareOrWarn(network) }
        for container in configuration.containers
        where registry.declaredContainer(named: container.name) == nil && configured[container.name] == nil {
            declareOrWarn(container)
        }
        logger.info("configuration reloaded")
        let notInForce = configurationFile.notInForce(in: configuration)
        for sentence in notInForce { logger.warning("\(sentence)") }
        whenSettled { [unowned self] in done(notInForce + configurationShortfalls) }
    }

    private func withdraw(_ network: NetworkDefinition) {
        shortfalls[Self.subject(network)] = nil
        guard registry.declaredNetwork(named: network.name)?.source == .configuration else { return }
        do throws(RegistryError) {
            try registry.removeNetwork(named: network.name)
        } catch {
            logger.warning("network \(network.name) stays as it was: \(error)")
        }
    }

    /// Makes a network of the configuration exist as it is declared there.
    private func declareOrWarn(_ network: NetworkDefinition) {
        do throws(RegistryError) {
            switch registry.declaredNetwork(named: network.name)?.source {
            case nil: try registry.createNetwork(network)
            case .configuration?: try registry.updateNetwork(network)
            case .control?: throw .networkExists(network.name)
            }
            shortfalls[Self.subject(network)] = nil
        } catch {
            shortfalls[Self.subject(network)] = error.description
            logger.error("\(Self.subject(network)): \(error)", metadata: .about(network: network.name))
        }
    }

    /// Declares a container of the configuration. One whose namespace is not there is waited for.
    private func declareOrWarn(_ container: Configuration.Container) {
        guard let source = container.namespace else {
            do throws(ControlError) {
                if let file = container.resolverConfigurationPath { throw .withoutListener(resolverFile: file) }
                try changeRegistry { registry throws(RegistryError) in
                    _ = try registry.addContainer(container.definition)
                }
                shortfalls[Self.subject(container)] = nil
            } catch {
                warn(container, error)
            }
            return
        }
        configured[container.name] = containers.declare(
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

    private static func subject(_ network: NetworkDefinition) -> String {
        "network \(network.name) of the configuration"
    }

    private static func subject(_ container: Configuration.Container) -> String {
        "container \(container.name) of the configuration"
    }

    /// Sentences about what the configuration declares and is not there, in order.
    private var configurationShortfalls: [String] { shortfalls.map { "\($0.key): \($0.value)" }.sorted() }

    /// What somebody should look at: what is declared or found and not as it should be.
    var warnings: [String] {
        configurationShortfalls + containers.warnings + discovery.warnings + registry.warnings
    }
}
