import Foundation
import PostgresClient
import Testing

@testable import Relay

@Suite("what a relay keeps of its database")
struct FenceKeeperTests {
    private let folder = NSTemporaryDirectory() + "hc-fence-\(UUID().uuidString)/deep"

    private func keeper() throws -> FenceKeeper { try #require(FenceKeeper(directory: folder, connection: "c1")) }

    @Test("a new value is kept beside the old one until the database has it")
    func twoPhases() throws {
        let keeper = try keeper()
        let first = try keeper.read()
        #expect(first.values.isEmpty && first.at == nil)
        try keeper.propose("a")
        try keeper.settle("a", at: "2026-01-01")
        try keeper.propose("b")
        #expect(try keeper.read() == FenceKeeper.Kept(keeper: first.keeper, values: ["a", "b"], at: "2026-01-01"))
        try keeper.settle("b", at: "2026-01-02")
        #expect(try self.keeper().read() == FenceKeeper.Kept(keeper: first.keeper, values: ["b"], at: "2026-01-02"))
    }

    @Test("one that leads no more leaves the file to the one that leads")
    func late() throws {
        let keeper = try keeper()
        try keeper.propose("late")
        try keeper.propose("newer")
        try keeper.settle("newer", at: "2")
        try keeper.settle("late", at: "1")
        #expect(try keeper.read().values == ["newer"])
    }

    @Test("a file that cannot be read is refused, not replaced")
    func broken() throws {
        let keeper = try keeper()
        try "{\"keeper".write(toFile: folder + "/c1.json", atomically: true, encoding: .utf8)
        #expect(throws: RelayError.self) { try keeper.read() }
        #expect(throws: RelayError.self) { try keeper.propose("a") }
        #expect(try String(contentsOfFile: folder + "/c1.json", encoding: .utf8) == "{\"keeper")
    }

    @Test("nothing is kept where nothing can be")
    func nowhere() {
        #expect((FenceKeeper(directory: nil, connection: "c1") == nil))
        #expect((FenceKeeper(directory: "/dev/null", connection: "c1") == nil))
    }

    @Test("an address of this machine is another one on another machine", arguments: [
        ("db.example.com", "db.example.com:5432"), ("/run/postgresql", "/run/postgresql:5432 on m"), ("localhost", "localhost:5432 on m"),
        ("127.0.0.1", "127.0.0.1:5432 on m"), ("::1", "[::1]:5432 on m"), ("10.0.0.1", "10.0.0.1:5432"),
    ])
    func addresses(host: String, text: String) {
        #expect(Whence.text(ServerAddress(host: host, port: "5432"), machine: "m") == text)
    }
}
