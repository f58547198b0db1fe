// From what is wanted to what was done, in one realm and in many. A plan is data: it is shown, or carried out, as it is.
import pLimit from 'p-limit'
import { KjitsiError } from '../errors.ts'
import type { Finding } from '../finding.ts'
import { afterDone, applyPlan } from './apply.ts'
import { adviseClient, advisePlan } from './advice.ts'
import {
  type Client,
  findClient,
  lookForClient,
  needManage,
  needSight,
  rolesOf,
  sessionLimitsOf,
} from './client.ts'
import type { RealmAdmin } from './connect.ts'
import type { DesiredClient } from './desired-client.ts'
import type { ClientArgs } from './findings.ts'
import { FIRST_MAPPERS, type Mapper } from './mappers.ts'
import { keepsFullScope, planClient, planClientRemoval, planRole, setsLifespan } from './plan-client.ts'
import { planMappers, planMapperRemoval } from './plan-mappers.ts'
import { type Item, changesOf, hasConflict, mappersAfter } from './plan.ts'

/** What was done in a realm, or what a plan would do. */
export interface RealmOutcome {
  readonly items: readonly Item[]
  readonly findings: readonly Finding[]
}

/** What is to become of a client of one realm. */
interface RealmPlan extends RealmOutcome {
  readonly about: ClientArgs
  /** As it was found. */
  readonly client: Client | undefined
}

/** Reads what a realm has, and lays what is wanted over it. */
export type Planner = (realm: RealmAdmin) => Promise<RealmPlan>

/**
 * Plans the mappers of one client that is there.
 * @param role the client role that they count on
 * @param remove take away what would be made instead
 */
export function mapperPlanner(
  clientId: string,
  mappers: readonly Mapper[],
  role: string | undefined,
  remove: boolean,
): Planner {
  return async (realm) => {
    const about = { url: realm.url, realm: realm.name, client: clientId }
    const client = await findClient(realm, clientId)
    const roles = role === undefined || remove ? [] : await rolesOf(realm, client)
    const items = [
      ...planRole(role, roles, remove),
      ...(remove ? planMapperRemoval : planMappers)(mappers, client.mappers),
    ]
    return { about, client, items, findings: advisePlan(about, items, client.mappers, role, roles) }
  }
}

/**
 * Plans one client with its role and mappers, whether it is there or not.
 * @param remove take away what would be made instead
 */
export function clientPlanner(desired: DesiredClient, remove: boolean): Planner {
  const { clientId, moderatorRole: role } = desired
  return async (realm) => {
    const about = { url: realm.url, realm: realm.name, client: clientId }
    const client = await lookForClient(realm, clientId)
    const needRoles = client !== undefined && (role !== undefined || remove)
    const roles = needRoles ? await rolesOf(realm, client) : []
    if (remove) {
      if (client === undefined) await needSight(realm, clientId)
      return { about, client, items: [planClientRemoval(desired, client, roles)], findings: [] }
    }
    const ofClient = planClient(realm.name, desired, client)
    const existing = client?.mappers ?? []
    const items = [
      ofClient,
      ...planRole(role, roles, remove),
      ...planMappers(mappersFor(desired, client), existing),
    ]
    const limits = setsLifespan(ofClient) ? await sessionLimitsOf(realm) : undefined
    const findings = [
      ...adviseClient(about, desired, client, mappersAfter(existing, items), limits),
      ...advisePlan(about, items, existing, role, roles),
    ]
    return { about, client, items, findings }
  }
}

/** With full scope on, one more audience would make `aud` a list for everybody: then there is none. */
function mappersFor(desired: DesiredClient, client: Client | undefined): readonly Mapper[] {
  return [
    ...(keepsFullScope(desired, client) ? [] : [desired.audienceMapper]),
    ...desired.moderatorMappers,
    ...(client === undefined ? FIRST_MAPPERS : []),
  ]
}

/** The client, its role and its mappers can each be made by somebody else first. */
const TRIES = 3

/**
 * Plans, and carries the plan out. Where somebody else has just made what was to be made, it is planned anew. After mappers
 * were created, what two runs at once have created twice is made single again.
 * @param onPlan told what is about to be done, before the first write
 */
export async function carryOut(
  realm: RealmAdmin,
  planner: Planner,
  onPlan: (changes: readonly Item[]) => void,
): Promise<RealmOutcome> {
  const done: Item[] = []
  for (let tries = 1, plan = await planner(realm); ; tries++) {
    const { client, items, findings, about } = plan
    const changes = changesOf(items)
    if (changes.length > 0) {
      if (client !== undefined) needManage(realm, client)
      onPlan(changes)
      try {
        await applyPlan(realm, client, items, done)
      } catch (error) {
        if (!(error instanceof KjitsiError && error.code === 'conflict') || tries === TRIES) throw error
        plan = await orAfter(done, planner(realm))
        if (done.length > 0 && hasConflict(plan.items)) throw afterDone(changedMeanwhile(about), done)
        continue
      }
      const created = changes.flatMap((item) =>
        item.kind === 'mapper' && item.action === 'create' ? [item.mapper] : [],
      )
      // A new client comes with its mappers, and there is one client of an id.
      if (client !== undefined && created.length > 0)
        await removeDuplicates(realm, about, created, done, onPlan)
    }
    // What an earlier try has made is there by now, and was not kept.
    const isMade = ({ action, kind, name }: Item): boolean =>
      action === 'keep' &&
      done.some((one) => one.action !== 'remove' && one.kind === kind && one.name === name)
    return {
      items: [...items.filter((item) => !isMade(item)), ...done.filter((item) => !items.includes(item))],
      findings,
    }
  }
}

/** How often two runs that remove the same duplicates may meet: Keycloak answers the later of two removals with 500. */
const MEETINGS = 10

/** Reads what is there now, and removes what is there twice. */
async function removeDuplicates(
  realm: RealmAdmin,
  about: ClientArgs,
  created: readonly Mapper[],
  done: Item[],
  onPlan: (changes: readonly Item[]) => void,
): Promise<void> {
  for (let reads = 1; ; reads++) {
    const client = await orAfter(done, findClient(realm, about.client))
    const duplicates = planMappers(created, client.mappers).filter(
      ({ action }) => action === 'remove' || action === 'conflict',
    )
    if (duplicates.length === 0) return
    if (hasConflict(duplicates)) throw afterDone(changedMeanwhile(about), done)
    if (reads === 1) onPlan(duplicates)
    try {
      await applyPlan(realm, client, duplicates, done)
      return
    } catch (error) {
      if (!(error instanceof KjitsiError && error.code === 'unreachable') || reads === MEETINGS) throw error
    }
  }
}

/** A reading between two writes, whose failure says what was done before it. */
async function orAfter<T>(done: readonly Item[], reading: Promise<T>): Promise<T> {
  return reading.catch((error: unknown) => {
    throw error instanceof KjitsiError && done.length > 0 ? afterDone(error, done) : error
  })
}

function changedMeanwhile({ realm, client }: ClientArgs): KjitsiError {
  return new KjitsiError(
    'conflict',
    `realm ${realm}, client ${client}: somebody else changed its mappers at the same time, and not to the same end`,
    { hint: 'run again: it says which mappers are in the way' },
  )
}

/** Realms that are worked on at a time: enough to hide the network, too few to trouble a server. */
const AT_A_TIME = 8

export type InRealm<T> =
  { readonly realm: string; readonly result: T } | { readonly realm: string; readonly error: KjitsiError }

/**
 * Runs `task` for each realm, several at a time; a failure stops no other.
 * @throws what is no KjitsiError, which is a bug, once all have ended
 */
export async function inEachRealm<T>(
  realms: readonly string[],
  task: (realm: string) => Promise<T>,
): Promise<readonly InRealm<T>[]> {
  const limit = pLimit(AT_A_TIME)
  const settled = await Promise.allSettled(realms.map((realm) => limit(() => task(realm))))
  return settled.map((one, i): InRealm<T> => {
    const realm = realms[i] ?? ''
    if (one.status === 'fulfilled') return { realm, result: one.value }
    if (one.reason instanceof KjitsiError) return { realm, error: one.reason }
    throw one.reason
  })
}
