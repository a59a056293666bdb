import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    @Suite("LFS locks")
    struct LFSLockTests {
        let hub: HubProcess
        let ada: GitClient
        let bob: GitClient
        let copy: WorkingCopy

        init() throws {
            hub = try HubProcess.started()
            ada = try hub.client("ada")
            bob = try hub.client("bob")
            try hub.run("organization", "create", "team")
            for account in ["ada", "bob"] {
                try hub.run("organization", "member", "add", "team", account, "--role", "write")
            }
            copy = try ada.repository("team/shared")
            try copy.trackLargeFiles("*.bin")
            try Content.write(to: copy.file("weights.bin"), bytes: 5000)
            try copy.commit([:], message: "Add weights")
            try copy.git("push", "--quiet", "origin", "main")
        }

        @Test("a locked file is listed, kept from others and unlocked")
        func lifeOfALock() throws {
            let other = try bob.clone("models/team/shared", to: "clone")
            try other.git("lfs", "install", "--local")
            try copy.git("lfs", "lock", "weights.bin")
            #expect(try other.git("lfs", "locks").contains("weights.bin"))
            #expect(try !other.attempt(["lfs", "lock", "weights.bin"]).succeeded)
            #expect(try !other.attempt(["lfs", "unlock", "weights.bin"]).succeeded)

            try Content.write(to: other.file("weights.bin"), bytes: 6000, seed: 2)
            try other.commit([:], message: "Change weights")
            let push = try other.attempt([
                "-c", "lfs.\(hub.address("models/team/shared"))/info/lfs.locksverify=true", "push", "origin", "main",
            ])
            #expect(!push.succeeded)
            #expect(push.text.contains("weights.bin"), "\(push)")

            try copy.git("lfs", "unlock", "weights.bin")
            #expect(try other.git("lfs", "locks") == "")
            try other.git("push", "--quiet", "origin", "main")
        }

        @Test("of eight who ask for a lock at once one gets it")
        func parallel() throws {
            let address = hub.address("models/team/shared") + "/info/lfs/locks"
            let requests = try (0..<8).map { index in
                try RunningCommand(
                    ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]
                        + (index.isMultiple(of: 2) ? ada : bob).credentials
                        + [
                            "--header", "Accept: application/vnd.git-lfs+json",
                            "--header", "Content-Type: application/vnd.git-lfs+json",
                            "--data-binary", #"{"path":"one.bin","ref":{"name":"refs/heads/main"}}"#, address,
                        ],
                    in: "/", environment: ada.environment)
            }
            let statuses = requests.map { $0.finish().stdout }.sorted()
            #expect(statuses == ["201"] + Array(repeating: "409", count: 7))
        }

        @Test("locks come in pages")
        func pages() throws {
            for index in 0..<25 {
                let answer = try ada.postLFS("models/team/shared", "locks", #"{"path":"file-\#(index).bin"}"#)
                #expect(answer.status == 201, "\(answer)")
            }
            var seen = 0
            var cursor = ""
            for _ in 0..<10 {
                let page = try hub.http(
                    "\(hub.address("models/team/shared"))/info/lfs/locks?limit=10"
                        + (cursor.isEmpty ? "" : "&cursor=\(cursor)"),
                    ada.credentials + ["--header", "Accept: application/vnd.git-lfs+json"])
                let parsed = try JSONSerialization.jsonObject(with: Data(page.body.utf8)) as? [String: Any]
                seen += (parsed?["locks"] as? [Any])?.count ?? 0
                cursor = parsed?["next_cursor"] as? String ?? ""
                if cursor.isEmpty { break }
            }
            #expect(seen == 25)
            #expect(try copy.git("lfs", "locks").split(separator: "\n").count == 25)
        }
    }
}
