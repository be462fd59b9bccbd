// Sources over a restart: a line for each network and container in the state directory.

import ControlAPI
import Logging
import Registry

extension PublishedSources {
    /// The line that keeps a step, which is written before the call's reply goes out.
    func line(_ step: PublicationStep, of source: String) -> Declaration {
        switch step {
        case .putNetwork(let network):
            Declaration(KeptNetwork.self, .init(source: source, network: network.parameters))
        case .put(let item):
            Declaration(KeptContainer.self, .init(source: source, container: item.parameters))
        case .dropNetwork(let name):
            Declaration(DroppedPublications.self, .init(source: source, networks: [name], containers: []))
        case .drop(let id):
            Declaration(DroppedPublications.self, .init(source: source, networks: [], containers: [id]))
        }
    }

    /// Keeps where a container was attached.
    func keep(_ item: PublishedItem, of source: String, at place: AttachedNamespace) {
        state.keep(KeptContainer.self, .init(source: source, container: item.parameters, place: place))
    }

    /// Keeps that containers are gone.
    func keepDropped(_ ids: [String], of source: String) {
        state.keep(DroppedPublications.self, .init(source: source, networks: [], containers: ids))
    }

    // MARK: - At the start

    /// Brings back a network of the last daemon.
    func restore(_ kept: KeptNetwork.Parameters) {
        do throws(ControlError) {
            carryOut(.putNetwork(try PublishedSegment(kept.network, of: kept.source)), of: kept.source)
            state.keep(KeptNetwork.self, kept)
        } catch {
            logger.error("network \(kept.network.name) of source \(kept.source), from before: \(error.message)")
        }
    }

    /// Brings back a container of the last daemon. One whose namespace nobody can tell from another's does not come back.
    /// - Parameters:
    ///   - kept: what was kept of it.
    ///   - isSameBoot: true when namespaces and processes are told apart as they were then.
    func restore(_ kept: KeptContainer.Parameters, isSameBoot: Bool) {
        do throws(ControlError) {
            let item = try PublishedItem(kept.container, of: kept.source)
            let place = isSameBoot ? kept.place : nil
            guard item.way == nil || place != nil else { return }
            state.keep(KeptContainer.self, kept)
            put(item, of: kept.source, before: place)
        } catch {
            logger.error("container \(kept.container.id) of source \(kept.source), from before: \(error.message)")
        }
    }
}
