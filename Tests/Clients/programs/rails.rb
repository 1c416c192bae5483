# What a Rails application on Heroku Connect does, with ActiveRecord itself: rails.rb SCENARIO DATABASE_URL prints one JSON object.
require "active_record"
require "json"
require "stringio"
require "uri"

scenario, address = ARGV
query = URI.decode_www_form(URI(address).query).to_h
ActiveRecord::Base.establish_connection(
  adapter: "postgresql", database: URI(address).path.delete_prefix("/"), host: query["host"], port: query["port"], username: query["user"],
  schema_search_path: "salesforce,public")

# == Schema Information: annotated models name the schema
class Account < ActiveRecord::Base
  self.table_name = "salesforce.account"
  has_many :contacts, primary_key: :sfid, foreign_key: :accountid
end

class Contact < ActiveRecord::Base
  self.table_name = "contact"
  belongs_to :account, primary_key: :sfid, foreign_key: :accountid, optional: true
end

class TriggerLog < ActiveRecord::Base
  self.table_name = "salesforce._trigger_log"
end

class TriggerLogArchive < ActiveRecord::Base
  self.table_name = "salesforce._trigger_log_archive"
end

def wait_for(limit = 20)
  deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + limit
  loop do
    answer = yield
    return answer if answer
    raise "waited #{limit} s" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
    sleep 0.05
  end
end

def dumped(connection)
  ActiveRecord::SchemaDumper.dump(connection, text = StringIO.new)
  text.string
end

scenarios = {
  # db:schema:dump, and db:schema:load of it into a schema of its own
  "schema" => lambda {
    plain = dumped(ActiveRecord::Base.connection)
    ActiveRecord::SchemaDumper.ignore_tables = [/\Ahc_/]
    schema = dumped(ActiveRecord::Base.connection)
    ActiveRecord::Base.connection.execute("CREATE SCHEMA loaded")
    ActiveRecord::Base.connection.schema_search_path = "loaded,public"
    ActiveRecord::Schema.verbose = false
    eval(schema)
    { plain: plain, schema: schema, again: dumped(ActiveRecord::Base.connection) }
  },

  "models" => lambda {
    account = Account.create!(name: "Rails", annualrevenue: 1.5, externalid__c: "rails-models")
    created = TriggerLog.where(table_name: "account", record_id: account.id).pluck(:action, :state)
    account.update!(phone: "1")
    account.reload
    account.update!(phone: "1")   # nothing changed: Rails sends no statement
    Account.where(id: account.id).update_all(phone: "2")
    Account.transaction(requires_new: true) { account.update!(phone: "never"); raise ActiveRecord::Rollback }
    Account.upsert_all([{ name: "Upserted", externalid__c: "rails-models" }], unique_by: :externalid__c)
    Account.insert_all([{ name: "Skipped", externalid__c: "rails-models" }], unique_by: :externalid__c)
    account.reload
    account.with_lock { account.update!(_hc_lastop: "MINE") }   # nobody sets that but the service
    shown = account.reload.attributes.slice("name", "phone", "_hc_lastop", "_hc_err")
    account.destroy!
    log = TriggerLog.where(table_name: "account", record_id: account.id).order(:id)
    { created: created, shown: shown, log: log.map { |entry| [entry.action, entry.state, entry.values] },
      newest: TriggerLog.order(created_at: :desc).limit(1).pick(:action), columns: TriggerLog.column_names }
  },

  # Creates a child by its parent's external id, and waits for sfid
  "relationship" => lambda {
    account = Account.create!(name: "Rails parent", externalid__c: "rails-parent")
    contact = Contact.create!(lastname: "Rails child", account__externalid__c: "rails-parent")
    first = contact.reload._hc_lastop
    wait_for { contact.reload.sfid }
    wait_for { contact.reload._hc_lastop == "SYNCED" }
    wait_for { account.reload._hc_lastop == "SYNCED" }
    { first: first, sfid: contact.sfid, accountid: contact.accountid, key: contact.account__externalid__c, parent: account.sfid,
      through: account.contacts.includes(:account).map { |child| child.account.name }, error: contact._hc_err }
  },

  # The blanket retry that a scheduled job runs, through the search path
  "retry" => lambda {
    failed = wait_for { TriggerLog.where(state: "FAILED", table_name: "account").order(:id).first }
    message = Account.find(failed.record_id)._hc_err
    ActiveRecord::Base.connection.execute("UPDATE _trigger_log SET state = 'NEW' WHERE state = 'FAILED'")
    ActiveRecord::Base.connection.execute("SELECT hc_wake(id) FROM hc_connection")   # instead of the ten seconds until the next look
    row = wait_for { Account.find_by(id: failed.record_id, _hc_lastop: "SYNCED") }
    { sf_message: failed.sf_message, hc_err: JSON.parse(message), sfid: row.sfid, error: row._hc_err,
      archived: wait_for { TriggerLogArchive.find_by(id: failed.id)&.state } }
  }
}

puts JSON.generate(scenarios.fetch(scenario).call)
