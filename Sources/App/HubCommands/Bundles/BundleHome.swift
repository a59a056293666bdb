import BundleFormat
import Bundles
import Glibc
import HubCore

/// Where this machine keeps what outlives a bundle: work that was interrupted, the ledger of what was sent, histories of folders.
///
/// In the data directory of the hub whose key signs; where there is no hub, in the user's own state folder.
struct BundleHome {
    let folder: CreationFolder
    let location: HubLocation?

    static func find(needsHub: Bool, data: String?, session: CommandSession) throws -> BundleHome {
        let location: HubLocation?
        do {
            location = try HubLocation.find(flag: data, environment: session.environment)
        } catch {
            if needsHub || data != nil { throw error }
            location = nil
        }
        if let location, needsHub || data != nil || access(location.data, W_OK) == 0 {
            return BundleHome(folder: try CreationFolder(path: "\(location.data)/bundles", ownedLike: location.data), location: location)
        }
        let state: String
        if let base = session.environment["XDG_STATE_HOME"], base.hasPrefix("/") {
            state = base
        } else if let user = session.environment["HOME"], user.hasPrefix("/") {
            state = user + "/.local/state"
        } else {
            throw CommandFailure(.unavailable, "There is no hub and no home folder to keep the work in; set HOME or XDG_STATE_HOME.")
        }
        return BundleHome(folder: try CreationFolder(path: "\(state)/csghub/bundles"), location: nil)
    }

    var sent: SentBundles {
        get throws { SentBundles(try folder.folder("sent")) }
    }

    /// The key of the hub, that of the user where there is no hub, or the one that was named.
    func signer(key: String?, session: CommandSession) async throws -> BundleSigner {
        try await BundleSigner.find(key: key, location: location, session: session)
    }
}
