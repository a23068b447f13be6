//! Orders, pages, cursors and filters.

use butterfly_model::sql::prelude::*;
use butterfly_model::sql::{Filters, Op, Page, Sort, cursor};

use crate::database::on_each;
use crate::item::{Column, Entity, Model, named, ranked};

const ALLOWED: [Column; 3] = [Column::Id, Column::Name, Column::Rank];

async fn some(db: &impl ConnectionTrait) {
    let ranks = [Some(3), None, Some(1), Some(3), None, Some(2), Some(1)];
    for (number, rank) in ranks.into_iter().enumerate() {
        ranked(&format!("n{}", 9 - number), rank).insert(db).await.unwrap();
    }
}

fn names(rows: &[Model]) -> Vec<&str> {
    rows.iter().map(|row| row.name.as_str()).collect()
}

#[tokio::test]
async fn null_stands_last_either_way() {
    on_each(async |db| {
        some(db).await;
        for (order, expected) in [
            ("rank,name", ["n3", "n7", "n4", "n6", "n9", "n5", "n8"]),
            ("-rank,name", ["n6", "n9", "n4", "n3", "n7", "n5", "n8"]),
        ] {
            let sort = Sort::parse(order, &ALLOWED).unwrap();
            let rows = sort.apply(Entity::find()).all(db).await.unwrap();
            assert_eq!(names(&rows), expected, "{order} {:?}", db.get_database_backend());
        }
    })
    .await;
}

#[tokio::test]
async fn both_ways_of_paging_give_each_row_once_and_in_order() {
    on_each(async |db| {
        some(db).await;
        for order in ["", "rank", "-rank", "rank,-name", "-rank,id", "name", "-id"] {
            let sort = Sort::parse(order, &ALLOWED).unwrap().then(Column::Id);
            let all = sort.apply(Entity::find()).all(db).await.unwrap();
            let (mut by_place, mut by_number) = (Vec::new(), Vec::new());
            let mut query = sort.apply(Entity::find());
            for index in 1..=4 {
                let rows = query.limit(2).all(db).await.unwrap();
                let last = rows.last().cloned().unwrap();
                query = sort.apply(Entity::find().filter(cursor::after::<Entity>(&sort, &last)));
                by_place.extend(rows);
                let page = Page::new(Some(index), Some(2)).unwrap();
                let (rows, total) = page.of(sort.apply(Entity::find()), db).await.unwrap();
                assert_eq!(total, 7);
                by_number.extend(rows);
            }
            assert_eq!(names(&by_place), names(&all), "{order:?} {:?}", db.get_database_backend());
            assert_eq!(by_number, all);
            assert!(query.one(db).await.unwrap().is_none());
        }
    })
    .await;
}

#[test]
fn what_is_no_order_and_no_page_is_named() {
    for (text, part) in [
        ("at", "unknown column \"at\", known are id, name, rank"),
        ("id; DROP TABLE item", "unknown column"),
        ("id,-id", "id stands twice"),
        ("--id", "unknown column \"-id\""),
    ] {
        let error = Sort::parse(text, &ALLOWED).unwrap_err().to_string();
        assert!(
            error.starts_with("ERR_BAD_PARAMS") && error.contains("sort: ") && error.contains(part),
            "{error}"
        );
    }
    for (index, size, part) in [
        (Some(0), None, "page_index"),
        (None, Some(0), "page_size"),
        (None, Some(1001), "1..=1000"),
        (Some(u64::MAX), None, "page_index"),
    ] {
        assert!(Page::new(index, size).unwrap_err().to_string().contains(part), "{part}");
    }
}

#[tokio::test]
async fn filters_take_every_text_as_a_value() {
    on_each(async |db| {
        for name in ["100%", "1000", "a_b", "axb", "it's", "back\\slash", "ex!c", "Straße", "' OR 1=1 --"] {
            named(name).insert(db).await.unwrap();
        }
        let find = async |op, text: &str| {
            let mut filters = Filters::<Entity>::new(db.get_database_backend());
            filters.compare("name", Column::Name, op, Some(text.to_owned()));
            let condition = filters.condition().unwrap();
            let mut rows = Entity::find().filter(condition).all(db).await.unwrap();
            rows.sort_by(|a, b| a.name.cmp(&b.name));
            rows.into_iter().map(|row| row.name).collect::<Vec<_>>()
        };
        assert_eq!(find(Op::Contains, "%").await, ["100%"]);
        assert_eq!(find(Op::Contains, "a_").await, ["a_b"]);
        assert_eq!(find(Op::StartsWith, "100").await, ["100%", "1000"]);
        assert_eq!(find(Op::Contains, "\\").await, ["back\\slash"]);
        assert_eq!(find(Op::Contains, "!").await, ["ex!c"]);
        assert_eq!(find(Op::Contains, "STRA").await, ["Straße"]);
        assert_eq!(find(Op::Contains, "'").await, ["' OR 1=1 --", "it's"]);
        assert_eq!(find(Op::Eq, "' OR 1=1 --").await, ["' OR 1=1 --"]);
        assert_eq!(find(Op::Eq, "x' OR '1'='1").await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn comparisons_lists_and_nulls() {
    on_each(async |db| {
        some(db).await;
        let count = async |set: &dyn Fn(&mut Filters<Entity>)| {
            let mut filters = Filters::new(db.get_database_backend());
            set(&mut filters);
            Entity::find().filter(filters.condition().unwrap()).count(db).await.unwrap()
        };
        for (op, expected) in [(Op::Eq, 2), (Op::Ne, 3), (Op::Gt, 3), (Op::Gte, 5), (Op::Lt, 0), (Op::Lte, 2)]
        {
            assert_eq!(count(&|f| f.compare("rank", Column::Rank, op, Some(1))).await, expected, "{op:?}");
        }
        assert_eq!(count(&|f| f.one_of("rank__in", Column::Rank, Some(vec![1, 2]))).await, 3);
        assert_eq!(count(&|f| f.one_of("rank__in", Column::Rank, Some(Vec::<i32>::new()))).await, 0);
        assert_eq!(count(&|f| f.null(Column::Rank, Some(true))).await, 2);
        assert_eq!(count(&|f| f.null(Column::Rank, Some(false))).await, 5);
        let mut many = Filters::<Entity>::new(db.get_database_backend());
        many.one_of("rank__in", Column::Rank, Some(vec![1; 501]));
        assert!(many.condition().unwrap_err().to_string().contains("rank__in: must have at most 500"));
    })
    .await;
}
