"""The peer of errand's bench that errand descends from: FastAPI, SQLModel and asyncpg.

It serves the endpoints that the bench uses, from errand's own tables, with the same answers. Run it with two workers:
uvicorn app:app --workers 2 --loop uvloop --http httptools --no-access-log
"""

import base64
import os
import time
import uuid
from collections.abc import AsyncIterator
from datetime import date, datetime, timezone
from typing import Annotated, Literal

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field as Checked
from sqlalchemy import ARRAY, BigInteger, Column, DateTime, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlmodel import Field, SQLModel, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

# A JWK with `alg`.
KEY = jwt.PyJWK.from_json(os.environ["BENCH_JWT_KEY"])
# Two workers: together as many connections as errand has.
engine = create_async_engine(os.environ["BENCH_DATABASE_URL"], pool_size=32, max_overflow=0, pool_timeout=10)
sessions = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
app = FastAPI(openapi_url=None)

PRIORITIES = ("none", "low", "medium", "high")
Priority = Literal["none", "low", "medium", "high"]


class Account(SQLModel, table=True):
    __table_args__ = {"schema": "errand"}

    user_id: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger))
    last_at: datetime = Field(sa_column=Column(DateTime(timezone=True)))


class Task(SQLModel, table=True):
    __table_args__ = {"schema": "errand"}

    user_id: str = Field(primary_key=True)
    id: uuid.UUID = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger))
    version: int = Field(default=1, sa_column=Column(BigInteger))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True)))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True)))
    completed_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    due_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    due_date: date | None = None
    completed: bool = False
    priority: int = Field(default=0, sa_column=Column(SmallInteger))
    due_time: str | None = None
    due_zone: str | None = None
    tags: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text)))
    title: str
    description: str | None = None




class Due(BaseModel):
    date: date
    time: str | None = None
    time_zone: str | None = None


class TaskIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str = Checked(min_length=1, max_length=255)
    description: str | None = Checked(None, max_length=10_000)
    completed: bool = False
    priority: Priority = "none"
    due: Due | None = None
    tags: list[str] = Checked([], max_length=20)


class TaskPatch(TaskIn):
    title: str | None = Checked(None, min_length=1, max_length=255)


class Completion(BaseModel):
    completed: bool


class TaskOut(BaseModel):
    id: uuid.UUID
    owner_id: str
    title: str
    description: str | None
    completed: bool
    completed_at: str | None
    priority: str
    due: dict[str, str] | None
    due_at: str | None
    tags: list[str]
    version: int
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, task: Task) -> "TaskOut":
        due = None
        if task.due_date is not None:
            due = {"date": task.due_date.isoformat()}
            if task.due_time is not None:
                due |= {"time": task.due_time, "time_zone": task.due_zone}
        return cls(
            id=task.id, owner_id=task.user_id, title=task.title, description=task.description, completed=task.completed,
            completed_at=instant(task.completed_at), priority=PRIORITIES[task.priority], due=due,
            due_at=task.due_at and task.due_at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), tags=task.tags,
            version=task.version, created_at=instant(task.created_at), updated_at=instant(task.updated_at),
        )


class TaskList(BaseModel):
    tasks: list[TaskOut]
    next_cursor: str | None


def instant(at: datetime | None) -> str | None:
    return at and at.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened


def caller(user_id: str, authorization: Annotated[str | None, Header()] = None) -> str:
    try:
        scheme, _, token = (authorization or "").partition(" ")
        claims = jwt.decode(token, KEY, algorithms=[KEY.algorithm_name], leeway=60, options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from error
    if scheme.lower() != "bearer":
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    if user_id not in ("me", claims["sub"]):
        raise HTTPException(403)
    return claims["sub"]


Caller = Annotated[str, Depends(caller)]
Session = Annotated[AsyncSession, Depends(session)]


def new_id() -> uuid.UUID:
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    number = milliseconds << 80 | 0x7 << 76 | (random >> 68) << 64 | 0x2 << 62 | random & ((1 << 62) - 1)
    return uuid.UUID(int=number)


def tagged(response: Response, number: int) -> None:
    response.headers["ETag"] = f'"{number}"'
    response.headers["Cache-Control"] = "private, no-cache"


def known(request: Request, number: int) -> bool:
    """Whether the client has this state; `If-None-Match` may name several (RFC 9110, section 13.1.2)."""
    return any(tag.strip() == f'"{number}"' for tag in request.headers.get("if-none-match", "").split(","))


async def next_write(db: AsyncSession, user: str) -> tuple[int, datetime]:
    """Numbers the user's writes, so that a list's entity tag is one number."""
    stamp = insert(Account).values(user_id=user, seq=1, last_at=func.clock_timestamp())
    stamp = stamp.on_conflict_do_update(
        index_elements=["user_id"], set_={"seq": Account.seq + 1, "last_at": func.clock_timestamp()}
    )
    row = (await db.execute(stamp.returning(Account.seq, Account.last_at))).one()
    return row.seq, row.last_at


@app.get("/health/live", include_in_schema=False)
async def live() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/api/{user_id}/tasks")
async def list_tasks(
    user: Caller,
    db: Session,
    response: Response,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    sort: Literal["created_at", "due"] = "created_at",
    completed: bool | None = None,
    priority: str | None = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
) -> TaskList:
    seq = (await db.exec(select(Account.seq).where(Account.user_id == user))).one_or_none() or 0
    if known(request, seq):
        return Response(status_code=304, headers={"ETag": f'"{seq}"'})
    tagged(response, seq)
    query = select(Task).where(Task.user_id == user).limit(limit + 1)
    if sort == "due":
        query = query.order_by(text("due_key"), Task.id)
    else:
        query = query.order_by(Task.created_at.desc(), Task.id.desc())
    if completed is not None:
        query = query.where(Task.completed == completed)
    if priority is not None:
        query = query.where(Task.priority.in_([PRIORITIES.index(word) for word in priority.split(",")]))
    if q:
        words = " & ".join(f"'{word}':*" for word in q.lower().replace("'", " ").split())
        query = query.where(text("words @@ cast(:words as tsquery)").bindparams(words=words))
    tasks = (await db.exec(query)).all()
    cursor = None
    if len(tasks) > limit:
        last = tasks[limit - 1]
        cursor = base64.urlsafe_b64encode(f"{last.created_at.isoformat()} {last.id}".encode()).decode().rstrip("=")
    return TaskList(tasks=[TaskOut.of(task) for task in tasks[:limit]], next_cursor=cursor)


@app.post("/api/{user_id}/tasks", status_code=201)
async def create_task(user: Caller, db: Session, body: TaskIn, response: Response) -> TaskOut:
    seq, at = await next_write(db, user)
    due = body.due
    task = (
        await db.execute(
            insert(Task)
            .values(
                user_id=user, id=new_id(), seq=seq, version=1, created_at=at, updated_at=at,
                completed_at=at if body.completed else None, completed=body.completed,
                priority=PRIORITIES.index(body.priority), due_date=due and due.date, due_time=due and due.time,
                due_zone=due and due.time_zone, tags=body.tags, title=body.title, description=body.description,
            )
            .returning(Task)
        )
    ).scalar_one()
    await db.commit()
    tagged(response, task.version)
    response.headers["Location"] = f"/api/{user}/tasks/{task.id}"
    return TaskOut.of(task)


@app.get("/api/{user_id}/tasks/{id}")
async def get_task(user: Caller, id: uuid.UUID, db: Session, response: Response, request: Request) -> TaskOut:
    task = await db.get(Task, (user, id))
    if task is None:
        raise HTTPException(404)
    tagged(response, task.version)
    if known(request, task.version):
        return Response(status_code=304, headers={"ETag": f'"{task.version}"'})
    return TaskOut.of(task)


@app.patch("/api/{user_id}/tasks/{id}")
async def patch_task(user: Caller, id: uuid.UUID, db: Session, body: TaskPatch, response: Response) -> TaskOut:
    changes = body.model_dump(exclude_unset=True)
    if "priority" in changes:
        changes["priority"] = PRIORITIES.index(changes["priority"])
    if "due" in changes:
        due = changes.pop("due") or {}
        changes |= {"due_date": due.get("date"), "due_time": due.get("time"), "due_zone": due.get("time_zone")}
    return await change(user, id, db, response, changes)


@app.patch("/api/{user_id}/tasks/{id}/complete")
async def complete_task(user: Caller, id: uuid.UUID, db: Session, body: Completion, response: Response) -> TaskOut:
    return await change(user, id, db, response, {"completed": body.completed})


async def change(user: str, id: uuid.UUID, db: AsyncSession, response: Response, changes: dict) -> TaskOut:
    seq, at = await next_write(db, user)
    if "completed" in changes:
        changes["completed_at"] = func.coalesce(Task.completed_at, at) if changes["completed"] else None
    statement = (
        update(Task)
        .where(Task.user_id == user, Task.id == id)
        .values(**changes, seq=seq, version=Task.version + 1, updated_at=at)
        .returning(Task)
    )
    task = (await db.execute(statement)).scalar_one_or_none()
    if task is None:
        raise HTTPException(404)
    await db.commit()
    tagged(response, task.version)
    return TaskOut.of(task)
