import Foundation
import GRDB

/// Everything the org is and remembers. It is used by one caller at a time: ``Org`` sees to that.
final class OrgState {
    var settings: OrgSettings { didSet { seen = [:] } }
    /// In the order they were made.
    private(set) var objects: [ObjectDefinition] = []
    private var positions: [String: Int] = [:]
    private(set) var rollups: [String: [RollupSummary.Entry]] = [:]
    /// Objects as users with restricted fields see them, by user and name; forgotten when permissions or objects change.
    private var seen: [String: ObjectDefinition] = [:]

    /// When an object last changed, in whole seconds: what `If-Modified-Since` is compared with.
    private(set) var definitionsChanged: Int64 = 0

    var clock: OrgClock
    var usedRequests = 0
    var cursors = CursorStore()
    var faults = FaultTable()
    var calls = CallLog()
    var openTransactions = OpenTransactions()
    var journal = ChangeJournal()
    let statements = SaveStatements()
    var locks = RowLocks()
    var upkeep = RecordUpkeep()
    /// Called with each commit, inside the transaction of the org's own tables.
    var changeListeners: [(CommittedChanges, OrgState, Database) throws -> Void] = []
    var logins = LoginCounts()
    var instance = InstanceMove()
    var service = ServiceState()
    var plan: FaultPlan?
    var history = WriteHistory()
    var readLag = ReadLag()
    let jobs: BulkJobStore
    var streaming = StreamingState()

    init(settings: OrgSettings, objects: [ObjectDefinition], clock: OrgClock, jobs: BulkJobStore) {
        self.settings = settings
        self.clock = clock
        self.jobs = jobs
        service.reseed(settings.service.seed)
        changeListeners = [WriteHistory.record]
        for object in objects { register(object) }
        definitionsChanged = stamp
    }

    /// Milliseconds since 1970 on the org's clock.
    var now: Int64 { clock.now }

    /// Milliseconds since 1970 on the machine's clock: tokens live by it, so that moving the org's clock ends no client's session.
    var machineNow: Int64 { now - clock.offset }

    /// The stamp of a save: whole seconds.
    var stamp: Int64 { now / 1_000 * 1_000 }

    private func register(_ object: ObjectDefinition) {
        seen = [:]
        if let position = positions[object.name.lowercased()] {
            objects[position] = object
        } else {
            positions[object.name.lowercased()] = objects.count
            objects.append(object)
        }
        rollups = RollupSummary.index(objects)
    }

    /// An object by name, without case and without regard to anyone's permissions.
    func object(_ name: String) -> ObjectDefinition? {
        positions[name.lowercased()].map { objects[$0] }
    }

    func object(keyPrefix: String) -> ObjectDefinition? {
        objects.first { $0.keyPrefix == keyPrefix }
    }

    /// The object as a user sees it: fields that may not be read are gone.
    func object(_ name: String, for user: String) -> ObjectDefinition? {
        guard let object = object(name), objectPermission(object, of: user)?.readable ?? true else { return nil }
        return visible(object, to: user)
    }

    func visible(_ object: ObjectDefinition, to user: String) -> ObjectDefinition {
        guard !settings.permissions.isEmpty || settings.recordSettings != nil || object.recordTypes != nil else { return object }
        let key = user + "." + object.name
        if let known = seen[key] { return known }
        let visible = restricted(object, to: user)
        seen[key] = visible
        return visible
    }

    private func restricted(_ object: ObjectDefinition, to user: String) -> ObjectDefinition {
        let rules = settings.permissions.filter {
            $0.object.lowercased() == object.name.lowercased() && ($0.user == "*" || $0.user == user)
        }
        var visible = object
        restrict(&visible, to: user)
        guard !rules.isEmpty else { return visible }
        visible.fields = FieldList(visible.fields.compactMap { field in
            var field = field
            for rule in rules where rule.field.lowercased() == field.name.lowercased() {
                guard rule.readable else { return nil }
                field.createable = field.createable && rule.createable
                field.updateable = field.updateable && rule.updateable
            }
            return field
        })
        return visible
    }

    /// A describe after this is not the one before it. The next whole second, so that one of the same second before it is not taken for current.
    func describesChanged() { definitionsChanged = stamp + 1_000 }

    // MARK: Definitions that last

    func save(_ object: ObjectDefinition, _ db: Database) throws {
        let exists = self.object(object.name) != nil
        if !exists { try ObjectTable.create(object, in: db) }
        register(object)
        describesChanged()
        try OrgStore.save(object, position: positions[object.name.lowercased()] ?? 0, in: db)
    }

    /// Adds a field, or replaces the definition of one that exists.
    func save(_ field: FieldDefinition, of name: String, _ db: Database) throws {
        guard var object = object(name) else { throw APIError.unknownType(name) }
        if let position = object.fields.firstIndex(where: { $0.name.lowercased() == field.name.lowercased() }) {
            object.fields[position] = field
        } else {
            try ObjectTable.add(field, to: object, in: db)
            object.fields.append(field)
        }
        try save(object, db)
    }

    func removeField(_ fieldName: String, of name: String, _ db: Database) throws {
        guard var object = object(name), let field = object.field(fieldName) else { throw APIError.notFound() }
        try ObjectTable.drop(field, from: object, in: db)
        object.fields.removeAll { $0.name == field.name }
        try save(object, db)
    }

    func saveSettings(_ db: Database) throws { try OrgStore.save(settings, in: db) }

    /// The next number of a counter, counted from 1.
    func next(_ counter: String, by step: Int64 = 1, _ db: Database) throws -> Int64 {
        try OrgStore.advance(counter, by: step, in: db)
    }
}

/// The org's time: the machine's, moved by an offset.
struct OrgClock: Sendable {
    var offset: Int64 = 0

    var now: Int64 { Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down)) + offset }
}
