// `container add --replace`: a declaration takes the place of another of the same name, which comes back where it cannot.

import Attachment
import ControlAPI
import Logging
import Registry

/// A declared container whose place another one of the same name takes.
struct ReplacedContainer {
    /// The declaration with its namespace; nil: it has none here.
    private let attached: (number: DeclarationNumber, definition: Containers.Definition)?
    /// The container as the registry has it; nil: it is waited for.
    private let known: Registry.Container?

    /// The declaration of a name; nil: there is none.
    /// - Throws: `InvalidValue` where the configuration has it.
    init?(named name: String, _ plane: ControlPlane) throws(ControlError) {
        let containers = plane.containers
        known = plane.publisher.registry.declaredContainer(named: name)
        let number = known.map { containers.declaration(of: $0.id) } ?? containers.waiting(named: name)
        attached = number.flatMap { number in containers.definitions[number].map { (number, $0) } }
        let definition = known?.declared ?? attached?.definition.definition
        guard let definition else { return nil }
        guard definition.source != .configuration else {
            throw .invalidValue(
                "true", of: "replace",
                reason: "container \(definition.name) is declared in the configuration; change it there")
        }
    }

    /// Replaces it. Where the other one cannot be had it comes back, and the call is refused.
    func replace(
        by parameters: AddContainer.Parameters, _ definition: ContainerDefinition, _ call: MethodCall<AddContainer>,
        _ plane: ControlPlane
    ) {
        do throws(ControlError) {
            var parameters = parameters
            if parameters.netns == nil, parameters.pid == nil {
                switch attached?.definition.source {
                case .path(let path)?: parameters.netns = path
                case .pid(let pid)?: parameters.pid = Int(pid)
                case nil: break
                }
            }
            let source = try AddContainer.source(of: parameters)
            try takeAway(plane)
            if let source { return AddContainer.add(parameters, definition, at: source, call, plane, replacing: self) }
            do throws(ControlError) {
                try AddContainer.addWithoutNamespace(plane, parameters, replaces: true)
            } catch {
                bringBack(plane)
                throw error
            }
            AddContainer.replyWithoutNamespace(to: call, plane)
        } catch {
            call.refuse(error)
        }
    }

    private func takeAway(_ plane: ControlPlane) throws(ControlError) {
        if let attached {
            plane.containers.remove(attached.number)
        } else if let known {
            try plane.publisher.change { registry throws(RegistryError) in try registry.removeContainer(known.id) }
        }
    }

    /// Declares it again as it was, with what it was connected to since.
    func bringBack(_ plane: ControlPlane) {
        guard var definition = known?.declared ?? attached?.definition.definition else { return }
        definition.endpoints += known?.connections ?? []
        let name = definition.name
        let isDrained = known?.isDrained ?? false
        guard let before = attached?.definition else {
            _ = try? plane.publisher.registry.addContainer(definition)
            if isDrained { _ = try? plane.publisher.registry.setDraining(true, container: name) }
            return
        }
        plane.containers.declare(
            definition, at: before.source, resolverFile: before.resolverFile, isStanding: true
        ) { [unowned plane] outcome in
            switch outcome {
            case .attached: if isDrained { _ = try? plane.publisher.registry.setDraining(true, container: name) }
            case .failed(_, .notThere), .ended: plane.state.keep(RemoveContainer.self, Named(name: name))
            case .failed(let error, _): plane.logger.error("container \(name) is not back yet: \(error.message)")
            }
        }
    }
}
