"""The list of examples/todo in FastAPI with SQLAlchemy, as its guide writes one: `fast.py ROWS` makes the file."""
import sys
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import String, create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite:///app.db", connect_args={"check_same_thread": False})


@event.listens_for(engine, "connect")
def settings(connection, _):
    connection.execute("PRAGMA journal_mode=wal")
    connection.execute("PRAGMA synchronous=normal")


class Base(DeclarativeBase):
    pass


class Todo(Base):
    __tablename__ = "todo"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    done: Mapped[bool] = mapped_column(default=False)
    due: Mapped[datetime | None]


class TodoRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    title: str
    done: bool
    due: datetime | None


class Rows(BaseModel):
    data: list[TodoRow]
    total: int
    page_index: int
    page_size: int


def session():
    with Session(engine) as session:
        yield session


app = FastAPI()
Column = Literal["id", "-id", "title", "-title", "done", "-done", "due", "-due"]


@app.get("/todo/list")
def todo_list(
    db: Annotated[Session, Depends(session)],
    title: str | None = None,
    title__contains: str | None = None,
    title__startswith: str | None = None,
    done: bool | None = None,
    due__gte: datetime | None = None,
    due__lt: datetime | None = None,
    sort: Column = "id",
    page_index: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=1000)] = 20,
) -> Rows:
    conditions = []
    if title is not None:
        conditions.append(Todo.title == title)
    if title__contains is not None:
        conditions.append(Todo.title.contains(title__contains, autoescape=True))
    if title__startswith is not None:
        conditions.append(Todo.title.startswith(title__startswith, autoescape=True))
    if done is not None:
        conditions.append(Todo.done == done)
    if due__gte is not None:
        conditions.append(Todo.due >= due__gte)
    if due__lt is not None:
        conditions.append(Todo.due < due__lt)
    column = getattr(Todo, sort.removeprefix("-"))
    order = column.desc() if sort.startswith("-") else column
    total = db.scalar(select(func.count()).select_from(Todo).where(*conditions))
    rows = db.scalars(
        select(Todo).where(*conditions).order_by(order).offset((page_index - 1) * page_size).limit(page_size)
    ).all()
    return Rows(data=rows, total=total, page_index=page_index, page_size=page_size)


if __name__ == "__main__":
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add_all(
            Todo(title=f"task {number}", done=number % 2 == 0, due=datetime(2027, 1, 1 + number % 28, 8))
            for number in range(1, int(sys.argv[1]) + 1)
        )
        db.commit()
